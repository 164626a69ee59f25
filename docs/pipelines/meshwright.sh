#!/usr/bin/env bash
# Registers a service, releases a candidate and waits for the end, by Meshwright's REST API. For pipelines: copy it into your
# repository. Needs bash, curl, node and az, signed in as the pipeline's service principal.
#
#   meshwright.sh check FILE              plan the service as FILE says; fails where a finding is as bad as FAIL_ON
#   meshwright.sh register FILE           register or change the service as FILE says (the body of PUT /services/…)
#   meshwright.sh release CANDIDATE FILE  start a rollout of CANDIDATE as FILE says (the body of POST …/rollouts); prints its id
#   meshwright.sh wait ID                 wait for its end; fails with the reason unless the candidate was promoted
#
# MESHWRIGHT_URL       https://… of the API
# MESHWRIGHT_AUDIENCE  app id URI of the API, such as api://meshwright
# SERVICE              NAMESPACE/NAME
# RUN_URL, RUN_KEY     address of this run; a key that is the same when this step is tried again
# FAIL_ON              `error` (default) or `warning`, for check
# UNTIL                `end` (default): wait for the bake too. `promoted`: all requests go to the candidate
# PATIENCE_MINUTES     120 when left out
set -euo pipefail
: "${MESHWRIGHT_URL:?}" "${MESHWRIGHT_AUDIENCE:?}" "${SERVICE:?}"
api=${MESHWRIGHT_URL%/}/api/v1

# call METHOD PATH [BODY] [HEADER…]: prints the answer; on a failure tells what the API says of it and ends.
call() {
  local method=$1 path=$2 body=${3:-} status token file
  token=$(az account get-access-token --resource "$MESHWRIGHT_AUDIENCE" --query accessToken --output tsv)
  local options=(--silent --show-error --request "$method" --max-time 220 --retry "${RETRIES:-6}" --retry-all-errors --write-out '%{http_code}')
  [ -n "$body" ] && options+=(--header 'content-type: application/json' --data "$body")
  for header in "${@:4}"; do options+=(--header "$header"); done
  file=$(mktemp)
  # The token goes by standard input: arguments can be seen by others on the machine.
  status=$(printf 'header = "authorization: Bearer %s"\n' "$token" | curl --config - "${options[@]}" --output "$file" "$api$path")
  # 000: no answer at all.
  if [ "$status" -lt 200 ] || [ "$status" -ge 400 ]; then
    echo "$method $path answered $status: $(field detail "$(cat "$file")") $(field hint "$(cat "$file")")" >&2
    rm "$file"
    return 1
  fi
  cat "$file"
  rm "$file"
}

# field NAME JSON: a field of an object; empty when it has none. On one line, and no command to the pipeline: notes of people are in it.
field() {
  printf '%s' "$2" | node -e '
    const text = require("fs").readFileSync(0, "utf8")
    const read = () => { try { return JSON.parse(text)[process.argv[1]] ?? "" } catch { return text } }
    process.stdout.write(String(read()).replace(/\s+/g, " ").replaceAll("##", "# #"))
  ' "$1"
}

register() {
  call PUT "/services/$SERVICE?wait=60s" "$(cat "$1")" > /dev/null
  echo "registered $SERVICE"
}

# Prints what the plan found. Findings are texts of people and clusters: one line each, and no command to the pipeline.
check() {
  local answer
  answer=$(call POST "/services/$SERVICE/plan?failOn=${FAIL_ON:-error}" "$(cat "$1")")
  printf '%s' "$answer" | node -e '
    const { value, worst, passed } = JSON.parse(require("fs").readFileSync(0, "utf8"))
    for (const { cluster, findings } of value)
      for (const { severity, code, field, message, fix } of findings)
        console.log([cluster, severity, code, field, message, fix].filter(Boolean).join(" ").replace(/\s+/g, " ").replaceAll("##", "# #"))
    console.log(passed ? "passed" : `not passed: the worst finding is ${worst}`)
    process.exitCode = passed ? 0 : 1
  '
}

release() {
  local body answer
  body=$(node -e '
    const body = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"))
    const source = { ...body.source, commit: process.env.COMMIT, runUrl: process.env.RUN_URL }
    process.stdout.write(JSON.stringify({ ...body, candidate: body.candidate ?? process.argv[1], source }))
  ' "$1" "$2")
  answer=$(call POST "/services/$SERVICE/rollouts" "$body" "idempotency-key: ${RUN_KEY:?}.$SERVICE.$1")
  field id "$answer"
}

wait_for() {
  local id=$1 rollout phase before='' deadline=$((SECONDS + ${PATIENCE_MINUTES:-120} * 60))
  while [ "$SECONDS" -lt "$deadline" ]; do
    # The API answers when it is over or waits for a person, or after this time.
    rollout=$(call GET "/rollouts/$id?wait=${LONGEST_CALL:-180s}")
    phase=$(field phase "$rollout")
    [ "$phase $(field weight "$rollout")" != "$before" ] && echo "$phase, $(field weight "$rollout") %: $(field message "$rollout")"
    before="$phase $(field weight "$rollout")"
    case "$phase" in
      succeeded) summary "$id" "$rollout"; return 0 ;;
      baking) [ "${UNTIL:-end}" = promoted ] && { summary "$id" "$rollout"; return 0; } ;;
      rolled-back | aborted | failed | superseded) summary "$id" "$rollout"; return 1 ;;
      paused | awaiting-approval) sleep "${PERSON_PAUSE:-15}" ;;
    esac
  done
  echo "$SERVICE is still $phase after ${PATIENCE_MINUTES:-120} minutes; the rollout goes on without this run" >&2
  return 1
}

# What a person reads first: how it ended, why, and where the evidence is.
summary() {
  local text
  text="$SERVICE: $(field phase "$2"), $(field reason "$2"): $(field message "$2")
Evidence: $api/rollouts/$1/evidence"
  echo "$text"
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then echo "$text" >> "$GITHUB_STEP_SUMMARY"; fi
}

case "${1:-}" in
  check) check "$2" ;;
  register) register "$2" ;;
  release) release "$2" "$3" ;;
  wait) wait_for "$2" ;;
  *) sed -n '2,/^set/p' "$0" | sed '$d'; exit 2 ;;
esac
