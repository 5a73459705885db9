package kiosk

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
)

// codes are all refusals that desk knows.
var codes = []desk.Code{
	desk.NotAnAddress, desk.OutsideDomains, desk.Limited, desk.WrongCode, desk.CodeExpired, desk.CodeUsed, desk.CodeEnded,
	desk.NoCode, desk.LockedOut, desk.NameMissing, desk.NameUnusable, desk.WeakPassword, desk.WrongPassword, desk.NotANumber,
	desk.NoSMS, desk.Country, desk.SMSPaused, desk.PocketOff, desk.WrongDigits, desk.PairingOver, desk.PairingStale,
	desk.MovedOn, desk.OutOfOrder, desk.Enrolled, desk.VisitOver, desk.Busy, desk.Unavailable, desk.Unsure,
	desk.NotATicket, desk.WrongTicket, desk.TicketExpired, desk.TicketEnded, desk.NoTicket,
	desk.WrongLogin, desk.AccountFrozen, desk.LoginStale, desk.NotProved, desk.SamePassword, desk.SamePhone,
	desk.NotStaff, desk.NoRight, desk.OwnAccount, desk.ShiftOver, desk.NotHere, desk.Assisting,
	desk.SecondPerson, desk.BadReason, desk.NoEvidence, desk.TicketUnusable, desk.CaseOpen, desk.NoCase, desk.CaseLapsed,
	desk.NotApproved, desk.TooEarly, desk.NothingToDo, desk.NoNumber,
	desk.NotReady, desk.NoEvent, desk.BadRange, desk.NoSeal, desk.NoExport, desk.NotAsSealed,
	desk.Erased, desk.HoldsRole, desk.ErasureOpen,
}

// made are the ids that the program puts together.
func made() []string {
	ids := []string{
		"kiosk-country-nl", "kiosk-country-be", "kiosk-country-de", "kiosk-stuck-mail-failed", "kiosk-stuck-sms-failed",
		"kiosk-pair-failed-text", "kiosk-pair-failed-digits-text", "kiosk-pair-failed-twice-text",
		"kiosk-pair-1-line", "kiosk-pair-1-typed-line", "kiosk-pair-2-line", "kiosk-pair-2-typed-line",
	}
	ids = append(ids, "kiosk-stuck-login-failed", "kiosk-language-nl", "kiosk-language-en", "kiosk-frozen-unknown-text")
	for _, c := range codes {
		ids = append(ids, "refusal-"+string(c))
	}
	for _, what := range []desk.Change{desk.ChangesName, desk.ChangesPhone, desk.ChangesLanguage, desk.ChangesPassword, desk.ChangesFactor} {
		ids = append(ids, "kiosk-prove-"+string(what))
	}
	for _, told := range []string{"name", "phone", "language", "password", "sms", "pocket", "recovered"} {
		ids = append(ids, "kiosk-changed-"+told, "kiosk-changed-"+told+"-text")
	}
	for _, end := range []desk.LoginEnd{desk.EndedExpired, desk.EndedDenied, desk.EndedWrong, desk.EndedOther, desk.EndedLimited} {
		ids = append(ids, "kiosk-approve-"+string(end), "kiosk-approve-"+string(end)+"-text")
	}
	for _, why := range []desk.Frozen{desk.FrozenNotMe, desk.FrozenLost, desk.FrozenStolen, desk.FrozenHelpdesk} {
		ids = append(ids, "kiosk-frozen-"+string(why), "kiosk-frozen-"+string(why)+"-text")
	}
	for _, loss := range []desk.PhoneLoss{desk.LostPhone, desk.StolenPhone} {
		for _, part := range []string{"-title", "-1", "-3"} {
			ids = append(ids, "kiosk-freeze-"+string(loss)+part)
		}
	}
	for month := range 12 {
		ids = append(ids, "kiosk-month-"+strconv.Itoa(month+1))
	}
	for _, which := range []string{"pocket", "sms"} {
		for _, part := range []string{"-1", "-2", "-3"} {
			ids = append(ids, "kiosk-a2-"+which+part)
		}
	}
	for _, which := range []string{"pocket", "sms"} {
		for _, part := range []string{"", "-line", "-1", "-2", "-3"} {
			ids = append(ids, "kiosk-choice-"+which+part)
		}
	}
	for _, rule := range []string{"length", "upper", "lower", "digit", "special", "not-common", "usable"} {
		ids = append(ids, "kiosk-rule-"+rule)
	}
	for _, problem := range []Problem{ServiceAway, ServiceRefuses} {
		ids = append(ids, string(problem)+"-text")
	}
	for _, why := range []string{"too-long", "common", "word", "name", "organisation", "repeated", "sequence"} {
		ids = append(ids, "kiosk-reason-"+why)
	}
	return ids
}

var quoted = regexp.MustCompile(`"(kiosk-[a-z0-9-]+|refusal-[a-z-]+)"`)

func TestEveryTextIsThereAndUsed(t *testing.T) {
	used := made()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f) //nolint:gosec // this package's own files
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quoted.FindAllStringSubmatch(string(b), -1) {
			if !strings.HasSuffix(m[1], "-") {
				used = append(used, m[1])
			}
		}
	}
	for _, lang := range i18n.Languages() {
		p, written := i18n.New(lang), map[string]any{}
		for _, f := range []string{"kiosk", "refusals"} {
			if _, err := toml.DecodeFile(filepath.Join("../../../../assets/translations", lang, f+".toml"), &written); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range used {
			if _, ok := written[id]; !ok {
				t.Errorf("%s: %s is not written", lang, id)
			}
		}
		for id := range written {
			if !slices.Contains(used, id) {
				t.Errorf("%s: %s is not used", lang, id)
			}
		}
		for _, c := range codes {
			if s := (&Kiosk{p: p}).refusal(&desk.Refusal{Code: c, Left: 2}); strings.ContainsAny(s, "⟦<") {
				t.Errorf("%s: %s says %q", lang, c, s)
			}
		}
	}
}
