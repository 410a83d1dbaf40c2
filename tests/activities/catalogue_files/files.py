"""Files of protocols that no program of ours has made: one of our own form, one study record of a registry."""

from typing import Any

AGE = {"analyte": "age", "op": ">=", "value": "18", "unit": "a"}
CRITERION = {"id": "age", "kind": "inclusion", "words": "18 years or older", "ways": [[AGE]]}
OWN: dict[str, Any] = {
    "registry": "NCT90000001",
    "title": "A protocol nobody has seen",
    "product": "X-9",
    "product_class": "allogeneic",
    "targets": ["CD70"],
    "diseases": ["T-NHL"],
    "criteria": [CRITERION],
    "source": "sponsor's synopsis",
    "as_of": "2026-10-01",
}
STUDY: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {
            "nctId": "NCT90000002",
            "briefTitle": "Universal CAR-T in lymphoma",
            "officialTitle": "A Phase 1 Study of Off-the-shelf CD19 CAR-T Cells in B-cell Lymphoma",
        },
        "statusModule": {
            "overallStatus": "RECRUITING",
            "statusVerifiedDate": "2026-08",
            "lastUpdatePostDateStruct": {"date": "2026-09-14", "type": "ACTUAL"},
        },
        "conditionsModule": {"conditions": ["Diffuse Large B Cell Lymphoma", "Follicular Lymphoma"]},
        "designModule": {"studyType": "INTERVENTIONAL", "phases": ["PHASE1", "PHASE2"]},
        "armsInterventionsModule": {
            "interventions": [
                {"type": "DRUG", "name": "Fludarabine"},
                {"type": "BIOLOGICAL", "name": "UCAR-19", "description": "allogeneic anti-CD19 CAR-T cells"},
            ]
        },
        "eligibilityModule": {
            "eligibilityCriteria": "Inclusion Criteria:\n\n* relapsed after two lines\n* LVEF of 45% or more\n",
            "healthyVolunteers": False,
            "sex": "FEMALE",
            "minimumAge": "18 Years",
            "maximumAge": "75 Years",
            "stdAges": ["ADULT", "OLDER_ADULT"],
        },
        "contactsLocationsModule": {
            "locations": [
                {"facility": "Renji Hospital", "status": "RECRUITING", "city": "Shanghai", "country": "China"},
                {"facility": "Peking University Cancer Hospital", "status": "NOT_YET_RECRUITING", "city": "Beijing",
                 "country": "China", "zip": "100142"},
            ]
        },
    },
    "hasResults": False,
}  # fmt: skip
