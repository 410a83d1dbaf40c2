"""The kinds of event a file of courses may tell of, and which of them another word means."""

from __future__ import annotations

from collections.abc import Mapping

KINDS = (
    "assessment", "correction", "death", "follow_up", "hospitalised", "infection", "infusion", "laboratory",
    "lymphodepletion", "off_study", "other_treatment", "progression", "reinfusion", "toxicity", "toxicity_resolved",
    "transplant", "trial_hold",
)  # fmt: skip
"""What the format's `about` lists."""
OTHER = "occurrence"
"""Whatever has no word of its own: kept in the source's words, with its day."""
MEANT: Mapping[str, tuple[str, ...]] = {
    "assessment": (
        "complete_remission", "disease_activity", "disease_assessment", "evaluation", "mrd", "remission", "response",
        "response_assessment", "restaging", "sledai", "sledai_2k",
    ),
    "correction": ("amendment", "erratum", "reclassification", "revision"),
    "death": ("died", "deceased"),
    "follow_up": ("followup", "last_contact", "last_follow_up", "visit", "vital_status"),
    "hospitalised": ("hospitalisation", "hospitalization", "hospitalized", "icu", "icu_admission", "readmission"),
    "infection": ("viral_reactivation", "reactivation", "sepsis", "bacteraemia", "bacteremia"),
    "infusion": ("car_t_infusion", "car_nk_infusion", "cell_infusion", "cells"),
    "laboratory": ("lab", "labs", "biomarker", "biopsy", "chimerism", "expansion", "imaging", "persistence"),
    "lymphodepletion": ("lymphodepleting_chemotherapy", "ld"),
    "malignancy": ("second_malignancy", "secondary_malignancy", "second_primary_malignancy"),
    "off_study": ("lost", "lost_to_follow_up", "withdrawal", "withdrawn", "consent_withdrawn", "discontinued"),
    "other_treatment": (
        "apheresis", "bridging", "bridging_therapy", "cd34_boost", "concomitant_medication", "dialysis", "dli",
        "intervention", "ivig", "leukapheresis", "medication", "radiotherapy", "salvage", "stem_cell_boost",
        "steroids", "surgery", "therapy", "tocilizumab", "transfusion", "treatment", "vaccination", "ventilation",
    ),
    "progression": ("antigen_negative_relapse", "disease_progression", "flare", "recurrence", "relapse"),
    "reinfusion": ("re_infusion", "redose", "redosing", "retreatment", "second_infusion"),
    "toxicity": (
        "acute_gvhd", "adverse_event", "ae", "anaemia", "anemia", "b_cell_aplasia", "chronic_gvhd", "coagulopathy",
        "crs", "cytokine_release_syndrome", "cytopenia", "dlt", "gvhd", "haemophagocytic_lymphohistiocytosis",
        "hemophagocytic_lymphohistiocytosis", "hlh", "hypogammaglobulinaemia", "hypogammaglobulinemia", "icans",
        "iec_hs", "macrophage_activation_syndrome", "mas", "neurotoxicity", "neutropenia", "sae", "seizure",
        "thrombocytopenia", "tumor_lysis_syndrome", "tumour_lysis_syndrome",
    ),
    "toxicity_resolved": ("ae_resolved", "resolution", "resolved"),
    "transplant": ("allo_hsct", "hsct", "sct", "stem_cell_transplant", "transplantation"),
    "trial_hold": ("arm_closed", "clinical_hold", "study_hold"),
}  # fmt: skip
"""Words of publications that mean a kind of the format, or one the journey has beside it."""
_KIND = {word: kind for kind, words in MEANT.items() for word in (kind, *words)}


def written(word: str) -> str:
    """Return a kind as two of them are compared."""
    return "_".join(word.replace("-", " ").replace("_", " ").split()).casefold()


def kind_of(word: str) -> str:
    """Return the kind a word means, or OTHER."""
    said = written(word)
    over = said.removesuffix("_resolved").removesuffix("_resolution")
    return "toxicity_resolved" if over != said and _KIND.get(over) == "toxicity" else _KIND.get(said, OTHER)
