#!/bin/sh
# Starts the kiosk as a demo: no configuration, no server, no account. Installs
# what building the window needs, builds, and starts. Arguments go on to
# "keydesk kiosk".
set -eu
cd -- "$(dirname -- "$0")/.."
. app/native.sh

find_go
need_window

if [ "$(uname -s)" != Darwin ] && [ -z "${DISPLAY:-}" ]; then
	die 'There is no display to open a window on (DISPLAY is not set).' \
		'On a machine without a screen, Xvfb makes one that can be photographed:' \
		"  xvfb-run -a -s '-screen 0 1920x1080x24' sh app/run.sh"
fi

# The window toolkit complains on start where the system has no language; the
# screens bring their own.
case ${LC_ALL:-${LC_MESSAGES:-${LANG:-C}}} in
C | C.* | POSIX) export LC_ALL=nl_NL.UTF-8 ;;
esac

[ -x .bin/keydesk ] || say 'Building Keydesk. The first time takes a few minutes.'
go build -o .bin/keydesk ./app/keydesk
exec .bin/keydesk kiosk --demo "$@"
