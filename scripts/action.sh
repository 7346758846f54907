#!/usr/bin/env bash
# The steps of action.yml. What a workflow says comes in variables (CORSLINT_ACTION_*), and is never run or expanded.
set -euo pipefail

fail() {
  echo "::error title=corslint::$1"
  exit 2
}

venv=${RUNNER_TEMP:-/tmp}/corslint
programs=$venv/bin
if [[ ${RUNNER_OS:-} == Windows ]]; then
  programs=$venv/Scripts
fi

install() {
  local python=${CORSLINT_ACTION_PYTHON:-python3} version=${CORSLINT_ACTION_VERSION:-}
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "needs Python 3.11 or newer: let actions/setup-python run before, or name one with \`python\`"
  [[ -z $version || $version =~ ^[0-9]+(\.[0-9]+)*([a-z]+[0-9]+)?$ ]] || fail "\`version\` is not a version of corslint"
  "$python" -m venv "$venv"
  local pip=("$programs/python" -m pip --disable-pip-version-check --quiet install)
  if [[ -n $version ]]; then
    "${pip[@]}" "corslint==$version"
  else
    # Who pins the action to a commit has pinned all that it installs: the versions and hashes that lie there.
    local locks=$CORSLINT_ACTION_PATH/requirements
    "${pip[@]}" --require-hashes --requirement "$locks/runtime.txt" --requirement "$locks/build.txt"
    "${pip[@]}" --no-deps --no-build-isolation "$CORSLINT_ACTION_PATH"
  fi
}

# The lines of a text that hold something, as one argument each.
lines=()
read_lines() {
  lines=()
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    if [[ -n ${line//[[:space:]]/} ]]; then
      lines+=("$line")
    fi
  done <<<"$1"
}

check() {
  local sarif=${CORSLINT_ACTION_SARIF:-} status=0 options=()
  cd "${CORSLINT_ACTION_FOLDER:-.}" || fail "there is no such \`working-directory\`"
  if [[ ${CORSLINT_ACTION_ANNOTATIONS:-true} == true ]]; then
    options+=(--output-format github --output-file -)
  else
    options+=(--output-format text --output-file -)
  fi
  if [[ -n $sarif ]]; then
    options+=(--output-format sarif --output-file "$sarif")
  fi
  read_lines "${CORSLINT_ACTION_ARGS:-}"
  options+=(${lines[@]+"${lines[@]}"})
  read_lines "${CORSLINT_ACTION_PATHS:-.}"
  (( ${#lines[@]} )) || lines=(.)
  "$programs/corslint" check "${options[@]}" -- "${lines[@]}" || status=$?
  if [[ -n ${GITHUB_OUTPUT:-} ]]; then
    echo "status=$status" >>"$GITHUB_OUTPUT"
    if [[ -n $sarif && -f $sarif ]]; then
      local mark=corslint-$RANDOM$RANDOM$RANDOM
      local folder=${CORSLINT_ACTION_FOLDER:-.}
      [[ $sarif == /* || $folder == . ]] || sarif=$folder/$sarif
      printf 'sarif-file<<%s\n%s\n%s\n' "$mark" "$sarif" "$mark" >>"$GITHUB_OUTPUT"
    fi
  fi
  exit "$status"
}

case ${1:-} in
  install) install ;;
  check) check ;;
  *) fail "scripts/action.sh install|check" ;;
esac
