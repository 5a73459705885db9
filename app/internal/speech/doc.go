// Package speech reads text aloud with what the system has for it: espeak-ng
// or speech-dispatcher on Linux, say on macOS, SAPI on Windows. It imports
// nothing of Keydesk. Start reading at New.
package speech
