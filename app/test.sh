#!/bin/sh
# Runs everything that has to be green, the quickest first, and installs what
# that needs. With names, only those parts:
#
#	sh app/test.sh                 everything
#	sh app/test.sh lint headless   these two
#
# FUZZTIME is how long each fuzz target runs (5s), CHAOSTIME how long a shared
# log and vault are broken under two stations (1m). The last line counts.
set -eu
cd -- "$(dirname -- "$0")/.."
. app/native.sh

all='domain native format vet lint tidy headless race windows chaos fuzz vulnerabilities'
fuzztime=${FUZZTIME:-5s}
chaostime=${CHAOSTIME:-1m}

tmp=$(mktemp -d)
: >"$tmp/results" # one line a test and run: pass, fail or skip, and its name
: >"$tmp/times"
cleanup() {
	if [ -s "$tmp/xvfb.pid" ]; then kill "$(cat "$tmp/xvfb.pid")" 2>/dev/null || true; fi
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Reads "go test -json": prints a line per package, and what a failed test said;
# notes every result. What is no JSON, such as a download, is passed on.
cat >"$tmp/report.awk" <<'AWK'
function field(name,    at) {
	at = index($0, "\"" name "\":\"")
	if (!at) return ""
	at = substr($0, at + length(name) + 4)
	return substr(at, 1, index(at, "\"") - 1)
}
function output(    s) {
	s = $0
	sub(/^.*"Output":"/, "", s)
	sub(/"[^"]*$/, "", s)
	gsub(/\\\\/, "\001", s)
	gsub(/\\n/, "\n", s); gsub(/\\t/, "\t", s); gsub(/\\r/, "", s); gsub(/\\"/, "\"", s)
	gsub(/\\u003c/, "<", s); gsub(/\\u003e/, ">", s); gsub(/\\u0026/, "\\&", s)
	gsub(/\001/, "\\", s)
	return s
}
!/^\{"/ { print; next }
{
	action = field("Action"); test = field("Test"); pkg = field("Package")
	if (!pkg) pkg = field("ImportPath")
	key = test == "" ? pkg : pkg "." test
}
action == "output" { said[key] = said[key] output(); of[key] = pkg }
action == "build-output" { printf "%s", output() }
action == "run" { running[key] = pkg }
action == "pass" || action == "fail" || action == "skip" {
	delete running[key]
	if (test != "") {
		print action, key >results
		if (action == "fail") {
			printf "%s", said[key]
			broken[pkg] = 1
		}
	} else if (action == "fail") {
		unended()
		printf "%s", said[key]
		if (!broken[pkg]) print action, key >results # did not build, or died
	} else if (action == "pass") {
		seconds = $0
		sub(/^.*"Elapsed":/, "", seconds); sub(/[,}].*$/, "", seconds)
		printf "ok %7.1fs  %s\n", seconds, pkg
	}
	if (said[key] !~ /(^|\n)(panic|fatal error): /) delete said[key]
	fflush()
}
# Of a test that hung or died there is no word but what it said. Where it stood is
# in what the test said that spoke last, which may have passed.
function unended(    name) {
	for (name in running) {
		if (running[name] != pkg) continue
		printf "--- NO END: %s\n%s", name, said[name]
		print "fail", name >results
		broken[pkg] = 1
		delete running[name]; delete said[name]
	}
	for (name in said) {
		if (of[name] != pkg || name == pkg) continue
		printf "%s\n", substr(said[name], 1, 60000)
		delete said[name]
	}
}
AWK

# go_test is go test with a report; its status is that of go test.
go_test() {
	{
		code=0
		go test -json -timeout 25m "$@" 2>&1 || code=$?
		echo "$code" >"$tmp/code"
	} | awk -v results="$tmp/one" -f "$tmp/report.awk"
	if [ -f "$tmp/one" ]; then
		cat "$tmp/one" >>"$tmp/results"
		rm "$tmp/one"
	fi
	return "$(cat "$tmp/code")"
}

# packages lists what needs no window: all but the program that opens them.
# Fyne's own test driver (-tags ci) draws the screens without cgo.
packages() { go list -tags ci ./... | grep -v '/app/keydesk$'; }

linter() { CGO_ENABLED=0 go tool -modfile=.ci/lint.mod golangci-lint "$@"; }

# need_mailpit builds the SMTP server that the mail tests send to, once.
need_mailpit() {
	export KEYDESK_MAILPIT="${KEYDESK_MAILPIT:-$PWD/.bin/mailpit}"
	[ -x "$KEYDESK_MAILPIT" ] ||
		CGO_ENABLED=0 go build -modfile=.ci/mailpit.mod -o "$KEYDESK_MAILPIT" github.com/axllent/mailpit
}

domain() { CGO_ENABLED=0 go_test ./domain/... ./projections/...; }

native() {
	need_window
	need_test_tools
}

format() {
	linter fmt --diff >"$tmp/diff" 2>&1 || {
		cat "$tmp/diff"
		say 'Mend it with: go tool -modfile=.ci/lint.mod golangci-lint fmt'
		return 1
	}
}

vet() { CGO_ENABLED=0 go vet -tags ci ./...; }

lint() { linter run; }

tidy() { go mod tidy -diff; }

headless() {
	need_mailpit
	# shellcheck disable=SC2046 # a list of words
	CGO_ENABLED=0 go_test -tags ci $(packages)
}

# Not the screens: the test driver runs fyne.Do where it stands, in the
# goroutine that called it, so that everything there would look like a race.
race() {
	need_mailpit
	# shellcheck disable=SC2046 # a list of words
	CGO_ENABLED=1 go_test -race -short -tags ci $(packages | grep -v '/app/internal/ui')
}

windows() {
	if [ "$(uname -s)" != Darwin ]; then start_xvfb; fi
	CGO_ENABLED=1 go_test -count=1 ./app/keydesk/...
}

# start_xvfb starts a screen on a display that nobody uses.
start_xvfb() {
	Xvfb -displayfd 3 -screen 0 1920x1080x24 -nolisten tcp 3>"$tmp/display" 2>"$tmp/xvfb.log" &
	xvfb=$!
	echo "$xvfb" >"$tmp/xvfb.pid"
	waited=0
	until [ -s "$tmp/display" ]; do
		if [ "$waited" -ge 30 ] || ! kill -0 "$xvfb" 2>/dev/null; then
			cat "$tmp/xvfb.log"
			die 'Xvfb did not start.'
		fi
		sleep 1
		waited=$((waited + 1))
	done
	DISPLAY=:$(cat "$tmp/display")
	export DISPLAY
}

# Every run breaks other things at other times; what it prints says how to have
# the same again.
chaos() { KEYDESK_CHAOS=$chaostime CGO_ENABLED=0 go_test -count=1 -run '^TestChaos$' ./app/internal/home; }

fuzz() {
	broken=
	grep -rl --include='*_test.go' '^func Fuzz' app assets domain projections | sed 's,/[^/]*$,,' | sort -u >"$tmp/dirs"
	while read -r dir; do
		CGO_ENABLED=0 go test -tags ci -list '^Fuzz' "./$dir" >"$tmp/list" || die "$(cat "$tmp/list")"
		for target in $(grep '^Fuzz' "$tmp/list"); do
			fuzz_one "$dir" "$target" || broken=yes # all of them have their turn
		done
	done <"$tmp/dirs"
	[ -z "$broken" ]
}

fuzz_one() {
	# Without a bound, all the time goes into making the first find smaller.
	if CGO_ENABLED=0 go test -tags ci -run '^$' -fuzz "^$2\$" -fuzztime "$fuzztime" -fuzzminimizetime 10x "./$1" >"$tmp/fuzz" 2>&1 </dev/null; then
		say "ok  $1 $2: $(sed -n 's/^fuzz: elapsed.*execs: \([0-9]*\).*/\1/p' "$tmp/fuzz" | tail -n 1) inputs"
	elif grep -q 'context deadline exceeded' "$tmp/fuzz" && ! grep -q 'Failing input' "$tmp/fuzz"; then
		# Go reports so when the time ends in the middle of an input (golang/go#75804).
		say "ok  $1 $2: until the time was up"
	else
		cat "$tmp/fuzz"
		say "fail fuzz.$1.$2" >>"$tmp/results"
		return 1
	fi
	say "pass fuzz.$1.$2" >>"$tmp/results"
}

# Advice, never a failure: a new finding in a library must not stop today's
# work, and the database may be out of reach.
vulnerabilities() {
	limit=
	if have timeout; then limit='timeout 300'; fi
	# shellcheck disable=SC2086 # a list of words
	CGO_ENABLED=0 $limit go tool -modfile=.ci/vuln.mod govulncheck -tags ci ./... ||
		say 'To be looked at; it does not fail this run.'
}

title() {
	case $1 in
	domain) say 'The domain and its projections, before anything else' ;;
	native) say 'Packages of the system' ;;
	format) say 'Format' ;;
	vet) say 'Vet' ;;
	lint) say 'Lint' ;;
	tidy) say 'go.mod is tidy' ;;
	headless) say 'Everything that needs no window, without cgo' ;;
	race) say 'The race detector' ;;
	windows) say 'The windows, on Xvfb' ;;
	chaos) say "Stations over a log and a vault that keep breaking, for $chaostime" ;;
	fuzz) say "Every fuzz target for $fuzztime" ;;
	vulnerabilities) say 'Known vulnerabilities (advice)' ;;
	*) die "There is no part '$1'. The parts: $all" ;;
	esac
}

# closing prints the times and, last of all, the count. A test that ran twice
# counts once; a part that failed without a failing test counts as one.
closing() {
	printf '\n== Times, in seconds\n'
	cat "$tmp/times"
	printf '\n'
	[ -z "$failed" ] || say "FAILED: $failed. Again, alone: sh app/test.sh $failed"
	awk '$1 == "fail" { print "  " $2 }' "$tmp/results" | sort -u
	awk -v failed="$failed" '
		{ if ($1 == "fail" || !($2 in result) || result[$2] == "skip") result[$2] = $1 }
		END {
			for (name in result) n[result[name]]++
			if (failed != "" && !n["fail"]) n["fail"] = 1
			skipped = n["skip"] ? sprintf(", %d skipped", n["skip"]) : ""
			printf "%d passed, %d failed%s\n", n["pass"], n["fail"], skipped
		}' "$tmp/results"
}

parts=${*:-$all}
for part in $parts; do title "$part" >/dev/null; done
find_go
failed=
for part in $parts; do
	printf '\n== %s\n' "$(title "$part")"
	begun=$(date +%s)
	# A subshell of its own, not after || or if, where the shell forgets set -e.
	set +e
	(
		set -e
		"$part"
	)
	[ $? -eq 0 ] || failed=$part
	set -e
	printf '%6d  %s\n' $(($(date +%s) - begun)) "$part" >>"$tmp/times"
	[ -z "$failed" ] || break
done
closing
[ -z "$failed" ]
