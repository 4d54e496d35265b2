# awk -v page=ringside-run -v summary=TEXT -v version=0.1.0 -f man_page.awk: makes a manual page of what --help prints.
# What stands under "usage:" is the synopsis; a line that ends in ':' and has indented lines below is a heading, unless it
# is a table of keys; indented lines are a list of terms ("  -o, --output FILE   where ..."), or an example, kept as it is.

function escaped(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  gsub(/'/, "\\(aq", text)
  gsub(/\^/, "\\(ha", text)
  gsub(/~/, "\\(ti", text)
  sub(/^\./, "\\\&.", text)
  return text
}

function indent_of(line) {
  match(line, /^ */)
  return RLENGTH
}

function trimmed(text) {
  gsub(/^ +| +$/, "", text)
  return text
}

function section(title) {
  print ".SH " toupper(title)
  listing = described = 0
}

function item(term, text) {
  printf ".TP\n.B %s\n", escaped(term)
  if (text != "") print escaped(text)
  listing = 1
}

# The term of "--set KEY=VALUE change one key" when no two blanks end it: options and their words in capitals or digits.
function option_length(text) {
  if (match(text, /   */)) return RSTART - 1
  match(text, /^--?[A-Za-z0-9-]+(, --?[A-Za-z0-9-]+)*( [A-Z0-9][A-Z0-9=|.%a-z]*)?( |$)/)
  return RLENGTH > 0 ? RLENGTH : length(text)
}

# A row of a table of keys: "run.seed  number  0  of the order of cases"; later lines have only a meaning.
function key_row(line,    words) {
  if (indent_of(line) >= meaning_at - 1) {
    print escaped(trimmed(line))
    return
  }
  split(trimmed(substr(line, 1, meaning_at - 1)), words, / +/)
  item(words[1], "")
  printf "(%s; default %s)\n", escaped(words[2]), escaped(words[3])
  print escaped(trimmed(substr(line, meaning_at)))
}

function list_row(line,    at, rest, length_of_term) {
  at = indent_of(line)
  rest = substr(line, at + 1)
  if (rest ~ /^-/ && at != text_at) {
    length_of_term = option_length(rest)
  } else if (at <= 2 && match(rest, /   */)) {
    length_of_term = RSTART - 1
  } else {
    print escaped(rest)
    return
  }
  item(trimmed(substr(rest, 1, length_of_term)), trimmed(substr(rest, length_of_term + 1)))
  text_at = at + length_of_term
  while (substr(line, text_at + 1, 1) == " ") text_at++
}

BEGIN {
  printf ".TH %s 1 \"\" \"ringside %s\" \"ringside\"\n", toupper(escaped(page)), version
  print ".nh\n.ad l\n.SH NAME"
  printf "%s \\- %s\n", escaped(page), escaped(summary)
  mode = "text"
}

/^usage:/ {
  section("synopsis")
  mode = "synopsis"
  sub(/^usage: */, "")
  print ".nf\n" escaped($0)
  next
}

mode == "synopsis" {
  if (NF > 0) {
    print escaped(trimmed($0))
    next
  }
  print ".fi"
  mode = "text"
  described = 1
  next
}

NF == 0 {
  if (mode == "example") print ".fi"
  mode = mode == "keys" ? "keys" : "text"
  fresh = 1
  next
}

/^ +KEY +TYPE +DEFAULT +MEANING$/ {
  meaning_at = index($0, "MEANING")
  mode = "keys"
  next
}

/^[^ ].*:$/ {
  title = $0
  sub(/:$/, "", title)
  section(title ~ /^keys/ ? "keys" : title)
  if (title ~ /^keys/) print "These are the " escaped(title) "."
  mode = tolower(title) == "examples" ? "example" : "text"
  if (mode == "example") print ".nf"
  fresh = 0
  next
}

/^Exit code/ {
  section("exit status")
  mode = "text"
  fresh = 0
}

mode == "keys" && /^ / {
  key_row($0)
  next
}

mode == "example" {
  print escaped(substr($0, 3))
  next
}

/^ / {
  list_row($0)
  next
}

{
  if (described) section("description")
  else if (fresh || listing) print ".PP"
  fresh = listing = described = 0
  mode = "text"
  print escaped($0)
}

END {
  if (mode == "example") print ".fi"
  section("see also")
  print others
}
