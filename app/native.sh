# What run.sh and test.sh share: finding Go, and the packages of the system that
# the window (C compiler, GL and X11 headers) and the tests need. Sourced, from
# the top of the work tree; plain POSIX sh.

say() { printf '%s\n' "$*"; }

die() {
	printf '%s\n' "$@" >&2
	exit 1
}

# find_go stops unless there is a Go that can fetch the toolchain of go.mod.
find_go() {
	if ! command -v go >/dev/null 2>&1 && [ -x /usr/local/go/bin/go ]; then
		PATH=$PATH:/usr/local/go/bin
	fi
	command -v go >/dev/null 2>&1 || die \
		'Keydesk is built with Go, and there is none here.' \
		'Install Go 1.21 or newer from https://go.dev/dl/ and start this again.'
	# In /, so that a Go too old for our go.mod can still tell its version.
	version=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
	case $version in
	go1.[0-9] | go1.[0-9].* | go1.[0-9][a-z]* | go1.1[0-9]* | go1.20*)
		die "Keydesk needs Go 1.21 or newer; this is $version." \
			'Install a newer one from https://go.dev/dl/ and start this again.'
		;;
	esac
	# Go fetches the toolchain that go.mod names, unless the user decided otherwise.
	export GOTOOLCHAIN="${GOTOOLCHAIN:-auto}"
	go version >/dev/null || die \
		"This Go ($version) is older than go.mod asks for, and GOTOOLCHAIN=$GOTOOLCHAIN keeps it from fetching a newer one." \
		"Try: GOTOOLCHAIN=auto sh $0"
}

have() { command -v "$1" >/dev/null 2>&1; }

# has_window says whether the window program can be built.
has_window() {
	case $(uname -s) in
	Darwin) xcode-select -p >/dev/null 2>&1 ;;
	*) { have cc || have gcc; } && have pkg-config &&
		pkg-config --exists gl x11 xcursor xrandr xinerama xi xxf86vm ;;
	esac
}

# has_test_tools says whether the tests find what they start: a screen without a
# monitor, hands for it, a browser, a voice and a database server.
has_test_tools() {
	case $(uname -s) in
	Darwin) has_browser ;;
	*) have Xvfb && have xdotool && have import && have espeak-ng && has_browser && has_postgres ;;
	esac
}

# has_postgres looks where the tests do (app/internal/vault/pgtest). On macOS they
# do without.
has_postgres() {
	have initdb && return
	for program in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb; do
		[ -x "$program" ] && return
	done
	return 1
}

has_browser() {
	have chromium || have chromium-browser || have google-chrome ||
		[ -d '/Applications/Google Chrome.app' ] || [ -d /Applications/Chromium.app ]
}

window_debian='gcc libc6-dev pkg-config libgl1-mesa-dev xorg-dev libxkbcommon-dev'
window_fedora='gcc pkgconf-pkg-config libX11-devel libXcursor-devel libXrandr-devel libXinerama-devel libXi-devel libglvnd-devel libXxf86vm-devel libxkbcommon-devel'
tests_debian='xvfb libgl1-mesa-dri xdotool imagemagick espeak-ng postgresql'
tests_fedora='xorg-x11-server-Xvfb mesa-dri-drivers xdotool ImageMagick espeak-ng chromium postgresql-server'

# need_window installs what building the window needs, or says what to install.
need_window() {
	has_window || install_native 'a C compiler and the headers of OpenGL and X11' \
		"$window_debian" "$window_fedora"
	has_window || die 'The C compiler or the headers of OpenGL and X11 are still missing.'
}

# need_test_tools does the same for what the tests start.
need_test_tools() {
	if ! has_test_tools; then
		browser=
		# Ubuntu has Chromium only as a snap, which tests cannot drive.
		has_browser || [ "$(system)" = ubuntu ] || browser=chromium
		has_postgres || no_cluster
		install_native 'what the tests use' "$tests_debian $browser" "$tests_fedora"
		cluster
	fi
	has_browser || die 'The tests drive a browser: install Google Chrome or Chromium, not as a snap.'
	has_test_tools || die 'Something that the tests use is still missing: Xvfb, xdotool, ImageMagick, espeak-ng or PostgreSQL.'
}

# Debian makes a database cluster along with PostgreSQL and starts it for good.
# The tests need the programs alone: so no_cluster says, until cluster says that
# a later installation may.
no_cluster_conf=/etc/postgresql-common/createcluster.d/keydesk-tests.conf

no_cluster() {
	case $(system) in
	debian | ubuntu)
		as_root 'apt-get install postgresql' sh -c \
			"mkdir -p ${no_cluster_conf%/*} && echo 'create_main_cluster = false' >$no_cluster_conf"
		;;
	esac
}

cluster() {
	[ ! -e "$no_cluster_conf" ] || as_root "rm $no_cluster_conf" rm "$no_cluster_conf"
}

# system prints debian, ubuntu, fedora or other.
system() {
	# A subshell: os-release sets names of its own.
	(
		ID='' ID_LIKE=''
		if [ -r /etc/os-release ]; then . /etc/os-release; fi
		case " $ID $ID_LIKE " in
		*' ubuntu '*) say ubuntu ;;
		*' debian '*) say debian ;;
		*' fedora '*) say fedora ;;
		*) say other ;;
		esac
	)
}

# install_native WHAT DEBIAN-PACKAGES FEDORA-PACKAGES
install_native() {
	if [ "$(uname -s)" = Darwin ]; then
		die "Missing: $1." 'Install the compiler with: xcode-select --install' \
			'For the tests also Google Chrome. Then start this again.'
	fi
	case $(system) in
	debian | ubuntu)
		say "Installing $1: $2"
		[ -n "${lists_fetched:-}" ] || as_root "apt-get install $2" env DEBIAN_FRONTEND=noninteractive apt-get update -q
		lists_fetched=yes
		# shellcheck disable=SC2086 # a list of words
		as_root "apt-get install $2" env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -q --no-install-recommends $2
		;;
	fedora)
		say "Installing $1: $3"
		# shellcheck disable=SC2086 # a list of words
		as_root "dnf install $3" dnf install -y $3
		;;
	*)
		die "Missing: $1." 'Install these, as your system calls them, and start this again:' \
			"  on Debian they are: $2" "  on Fedora they are: $3"
		;;
	esac
}

# as_root BY-HAND COMMAND… runs a command as root, or says what to do by hand.
as_root() {
	by_hand=$1
	shift
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif have sudo; then
		sudo "$@"
	else
		die "This needs root, and there is no sudo. Run as root: $by_hand"
	fi || die "That did not work. Try as root: $by_hand"
}
