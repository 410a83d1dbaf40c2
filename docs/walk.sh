#!/usr/bin/env bash
# Walks one case from inquiry to follow-up by hand on a running `make run`: docs/walk.sh http://127.0.0.1:PORT SECRET
# (both are printed by `make run`). Every answer already shows the next stage; only for the dose, which a worker holds
# by itself, the stream of changes is listened to. What hospitals would say days later, a supervisor enters as told on
# the telephone. `send X a=b` is what `caravel case send CASE X a=b` sends.
set -euo pipefail
export CARAVEL_API=$1
secret=$2
caravel=${CARAVEL:-.venv/bin/caravel}
day() { date -u -d "$1" +%Y-%m-%d; }
instant() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
field() { python3 -c "import json,sys; v=json.load(sys.stdin); print(eval(sys.argv[1], {'v': v}))" "$1"; }
http() { curl -sS --fail-with-body --max-time 60 -H "Authorization: Bearer ${CARAVEL_TOKEN-}" "$CARAVEL_API$1" "${@:2}"; }

post() { # PATH name=value ...: numbers and truths as they are, everything else as text; each under a key of its own
  local body='' pair value
  for pair in "${@:2}"; do
    value=${pair#*=}
    [[ $value =~ ^(-?[0-9]+|true|false)$ ]] || value="\"$value\""
    body+=", \"${pair%%=*}\": $value"
  done
  http "$1" -H 'Content-Type: application/json' -H "Idempotency-Key: $(</proc/sys/kernel/random/uuid)" -d "{${body#, }}"
}
sign_in() { # a person's stream; from here on commands are given in that person's name
  CARAVEL_TOKEN=$(post /dev/sign-in person="$1" secret="$secret" | field "v['token']")
  export CARAVEL_TOKEN
}
send() {
  echo "  $*"
  post "/cases/$case/commands" type="$@" >"$answer" || { cat "$answer" >&2; return 1; }
}
upload() { # QUERY: a small PDF into the store of the case; with item=… it is the record that was asked for
  echo "  a document${1:+ for $1}"
  printf '%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n%s\n%s' \
    '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj' 'trailer<</Root 1 0 R>>' |
    http "/cases/$case/documents?$1" -H 'Content-Type: application/pdf' --data-binary @- \
      -H "Idempotency-Key: $(</proc/sys/kernel/random/uuid)" >"$answer" || { cat "$answer" >&2; return 1; }
}
look() { http "/cases/$case"; }
until_so() { # looks once the stream of changes is open, and then at every change
  while read -r _; do [[ $(look | field "$1") != "$2" ]] || return 0; done < <(http /stream -N 2>/dev/null)
  echo "not within a minute: $1 is $2" >&2
  return 1
}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

echo "== inquiry"
sign_in person-coordinator
case=$(post /cases country=IN language=en zone=Asia/Kolkata patient_name='Asha Rao' patient_mail=asha@example.org \
  diagnosis='relapsed B-ALL' triage=not_fast_enough owner=person-coordinator team=rehearsal | field "v['case']")
echo "  opened $case"
patient=$(look | field "next(iter(v['case']['people']))")
send ReplyToFamily channel=call
send AcknowledgeScope person="$patient" form_version=2026-1
send GiveConsent purpose=data_processing person="$patient" form_version=2026-1 language=en

echo "== records"
send RequestRecord kind=pathology
item=$(look | field "next(iter(v['case']['records']))")
upload "item=$item&language=en"
send VerifyRecord item="$item"
upload ''
send DraftSummary document="$(field "v['document']" <"$answer")"
sign_in person-reviewer
send SignSummary

echo "== eligibility"
sign_in person-supervisor
centre=${CENTRE:-centre-ruijin} protocol=${PROTOCOL:-protocol-nct04227015}
send ChooseCentre centre="$centre" protocol="$protocol"
submission=$(look | field "next(iter(v['case']['submissions']))")
send GiveConsent purpose=share_with_hospital person="$patient" form_version=2026-1 language=en recipient="$centre"
send GiveConsent purpose=cross_border person="$patient" form_version=2026-1 language=en recipient="$centre"
send SubmitDossier submission="$submission"
send AcceptPatient submission="$submission" clinician='Dr Li Wei'
send GiveQuote submission="$submission" total=120000 currency=USD valid_until="$(instant '+30 days')"
send AcceptQuote person="$patient"
send HoldBed ref=B-1 until="$(instant '+60 days')"
until_so "v['case']['dose']['state']" held

echo "== visa"
send IssueLetter ref=L-1 valid_until="$(instant '+90 days')"
send RecordPassport person="$patient" expires="$(day '+5 years')"
send FileVisa person="$patient" category=S2
send GrantVisa person="$patient" valid_until="$(instant '+120 days')" stay_days=180
send RecordFitToTravel clinician='Dr Home' valid_until="$(instant '+30 days')"
send PlanStay arrives="$(day '+7 days')" days=70 attendant= lodging='near the hospital' funds_confirmed=true
send BookTravel departs="$(instant '+6 days')"
send ConfirmTravel ref=T-1

echo "== admission"
send RecordArrival entered="$(instant '-1 hour')"
send RegisterAddress
send GiveConsent purpose=trial person="$patient" form_version=2026-1 language=en
send GiveConsent purpose=risks person="$patient" form_version=2026-1 language=en
send AdmitPatient ref=E-1
send ConfirmScreening clinician='Dr Li Wei'

echo "== lymphodepletion"
send SignGate clinician='Dr Li Wei' no_active_infection=true organ_function_fine=true
send RecordDepletion regimen='fludarabine + cyclophosphamide' day=-5
send CompleteDepletion

echo "== infusion"
unit=$(look | field "v['case']['dose']['ref']")
send AuthoriseInfusion clinician='Dr Li Wei'
send CheckIdentity first=nurse-1 second=nurse-2 unit="$unit" patient_matches=true unit_matches=true
send StartThaw unit="$unit"
send RecordInfusion unit="$unit" cells='6e7 CAR+ viable T cells'
send AssessResponse result=CR
send DecidePathway pathway=observe clinician='Dr Li Wei'
send DeclareFitHome clinician='Dr Li Wei'

echo "== follow-up"
send ReturnHome
send AcceptHandover
"$caravel" case agenda "$case"
"$caravel" case timeline "$case" | tail -n 15
