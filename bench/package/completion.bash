# shellcheck disable=SC2154  # the tables stand above, where make_pages puts them together
# _ringside_offer WORDS [SUFFIX]: those that begin as the word at the cursor does.
_ringside_offer() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -S "${2:-}" -- "$cur")
  [ -z "${2:-}" ] || compopt -o nospace 2>/dev/null
}

_ringside() {
  # '=' parts words in COMP_WORDS: "--set run.seed=1" is four of them.
  local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " $_ringside_commands " in
      *" $word "*)
        command=$word
        break
        ;;
    esac
  done
  if [ -z "$command" ]; then
    _ringside_offer "$_ringside_commands --help --version"
    return
  fi
  case $previous in
    --set)
      _ringside_offer "${_ringside_keys[$command]:-}" =
      return
      ;;
    --format)
      case $command in
        show) _ringside_offer 'table json jsonl csv prometheus nccl-tests stragglers' && return ;;
        order) _ringside_offer 'order openmpi-rankfile openmpi-hostfile slurm mpich' && return ;;
      esac
      ;;
  esac
  case $cur in
    -*)
      _ringside_offer "${_ringside_options[$command]}"
      return
      ;;
  esac
  case $command in
    list) _ringside_offer 'algorithms transports baselines types' && return ;;
    lab) [ "$COMP_CWORD" != 2 ] || { _ringside_offer 'up run status down' && return; } ;;
  esac
  mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  compopt -o filenames 2>/dev/null
}
complete -F _ringside ringside
