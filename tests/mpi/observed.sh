#!/usr/bin/env bash
# What a run learns of its hosts: from a cloud's metadata service (here a server that answers as AWS documents), from
# the scheduler's environment, from an operator's file, which stands over both; pseudonyms with --redact.
source "$(dirname "$0")/launch.bash"

cat >"$work/imds.py" <<'PYTHON'
import http.server, sys

ANSWERS = {
    "instance-id": "i-0123456789abcdef0", "instance-type": "p5.48xlarge", "placement/region": "eu-west-1",
    "placement/availability-zone": "eu-west-1a", "placement/availability-zone-id": "euw1-az2",
    "placement/group-name": "training", "mac": "02:aa:bb:cc:dd:ee",
    "network/interfaces/macs/": "02:aa:bb:cc:dd:ee/",
    "network/interfaces/macs/02:aa:bb:cc:dd:ee/vpc-id": "vpc-0aa11bb22cc33dd44",
    "network/interfaces/macs/02:aa:bb:cc:dd:ee/subnet-id": "subnet-0aa11bb22cc33dd44",
    "network/interfaces/macs/02:aa:bb:cc:dd:ee/device-number": "0",
}

class Metadata(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def do_PUT(self):
        self.answer(200 if self.path == "/latest/api/token" else 404, "t0ken")
    def do_GET(self):
        key = self.path.removeprefix("/latest/meta-data/")
        if self.headers.get("X-aws-ec2-metadata-token") != "t0ken":
            self.answer(401, "")
        else:
            self.answer(200 if key in ANSWERS else 404, ANSWERS.get(key, ""))
    def log_message(self, *words):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
print(server.server_address[1], flush=True)
server.serve_forever()
PYTHON
/usr/bin/python3 "$work/imds.py" >"$work/port" 2>"$work/imds.err" &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do
  [ -s "$work/port" ] && break
  sleep 0.1
done
[ -s "$work/port" ] || fail "no metadata server: $(cat "$work/imds.err")"
export AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:$(cat "$work/port") SLURM_JOB_ID=4711

quick=(-q --set algorithm=ring --set baseline=none --set size=8 --set samples.min_iterations=1 --set run.case_time=10ms
  --set placement.cloud=aws)
# host FIELD FILE: of the only host
host() {
  "$RINGSIDE" show --json "$2" >"$work/json" && /usr/bin/python3 -c '
import json, sys
shown = json.load(open(sys.argv[2]))
[host] = (shown[0] if isinstance(shown, list) else shown)["hosts"]
print(host[sys.argv[1]])' "$1" "$work/json"
}
# expect_host FILE FIELD VALUE
expect_host() {
  local found
  found=$(host "$2" "$1") || fail "$1 has no $2"
  [ "$found" = "$3" ] || fail "$1: $2 is '$found', not '$3'"
}
dataset() { # FILE NAME
  /usr/bin/python3 -c '
import h5py, sys
with h5py.File(sys.argv[1]) as f:
    for host in f["topology"].values():
        print(host[sys.argv[2]][0].decode() if sys.argv[2] in host else "")' "$1" "$2"
}

launch 2 run "${quick[@]}" -o "$work/aws.h5" >"$work/out" 2>&1 || fail "exit $?: $(cat "$work/out")"
expect_host "$work/aws.h5" instance_type p5.48xlarge
expect_host "$work/aws.h5" zone eu-west-1a
expect_host "$work/aws.h5" placement_group training
expect_host "$work/aws.h5" instance_id i-0123456789abcdef0
dataset "$work/aws.h5" cloud >"$work/cloud" && grep -q 'eu-west-1a' "$work/cloud" || fail 'the answers are not in the file'
/usr/bin/python3 -c '
import h5py, sys
with h5py.File(sys.argv[1]) as f:
    facts = {row["key"].decode(): row["value"].decode() for row in f["environment"]}
    assert facts["slurm.job_id"] == "4711", facts
    assert all(row["binding"] for row in f["ranks"]), f["ranks"][:]' "$work/aws.h5" || fail 'facts of the scheduler, bindings'

launch 2 run "${quick[@]}" --redact -o "$work/redacted.h5" >"$work/out" 2>&1 || fail "--redact: $(cat "$work/out")"
expect_host "$work/redacted.h5" zone eu-west-1a
! grep -qa -e 'i-0123456789abcdef0' -e 'subnet-0aa11' -e '02:aa:bb' "$work/redacted.h5" ||
  fail "identifiers are in a redacted file"
[[ $(host instance_id "$work/redacted.h5") == i-redacted-* ]] || fail 'no pseudonym'
"$RINGSIDE" show --json "$work/redacted.h5" >"$work/json"
! grep -E '"environment\.' "$work/json" | grep -E '//[0-9]+\.|//\[[0-9a-f]*:' || fail "addresses of the launcher are in a redacted file"

# A file that knows hosts by their instances finds them all the same, and what it says is redacted too.
printf '{"Instances": [{"InstanceId": "i-0123456789abcdef0", "GroupName": "pg-0123456789abcdef0", "NetworkNodes": ["nn-1"]}]}' \
  >"$work/aws.json"
launch 2 run "${quick[@]}" --redact --topology "$work/aws.json" -o "$work/both.h5" >"$work/out" 2>&1 ||
  fail "--redact and --topology: $(cat "$work/out")"
! grep -q 'not in the file' "$work/out" || fail "--redact hides hosts from the file: $(cat "$work/out")"
expect_host "$work/both.h5" network_path nn-1
! grep -qa -e '-0123456789abcdef0' "$work/both.h5" || fail "identifiers of the operator's file are in a redacted file"

printf 'hosts:\n  %s: {zone: zone-of-mine, switch: leaf1}\nswitches:\n  leaf1: {parent: spine1}\n  spine1: {}\n' \
  "$(hostname)" >"$work/nodes.yaml"
launch 2 run "${quick[@]}" --topology "$work/nodes.yaml" -o "$work/file.h5" >"$work/out" 2>&1 ||
  fail "--topology: $(cat "$work/out")"
expect_host "$work/file.h5" zone zone-of-mine
expect_host "$work/file.h5" network_path spine1/leaf1

# A service that is not there, and a file that lacks the host.
export AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1
launch 2 run "${quick[@]}" -o "$work/none.h5" >"$work/out" 2>&1 || fail "no service: exit $?: $(cat "$work/out")"
grep -q 'ringside run: AWS metadata: .*(1 host)' "$work/out" || fail "no service: $(cat "$work/out")"
printf 'hosts:\n  elsewhere: {zone: a}\n' >"$work/other.yaml"
launch 2 run "${quick[@]}" --topology "$work/other.yaml" -o "$work/no.h5" >"$work/out" 2>&1 && fail 'a file without the host'
grep -q "$(hostname)" "$work/out" || fail "the missing host is not named: $(cat "$work/out")"
