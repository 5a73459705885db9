package pocket_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
)

// pairs pairs the page and leaves it with its accounts.
func (b browser) pairs(w world) (id string) {
	b.t.Helper()
	qr, _ := w.desk.Offer(w.url, 2*time.Minute)
	b.open("about:blank") // a fragment alone would not open the page again
	b.open(qr.String())
	b.screen("ask")
	b.click("[data-act=pair]")
	b.screen("digits")
	if !w.desk.TypeDigits(qr.Pairing, b.text("#digits")) {
		b.t.Fatal("the station expects other digits")
	}
	b.screen("done")
	b.open(w.url + "/p/")
	b.screen("home")
	return qr.Pairing
}

// typeDigits replaces what stands in the field of an approval, and approves.
func (b browser) typeDigits(digits string) {
	b.t.Helper()
	evaluate[string](b, `document.querySelector("#ask-digits").value = ""`)
	b.typeKeys("#ask-digits", digits)
	b.click("#ask-form button[type=submit]")
}

func (b browser) typeKeys(selector, keys string) {
	b.t.Helper()
	ctx, done := b.limit()
	defer done()
	b.do(ctx, chromedp.SendKeys(chromedp.CSS(selector), keys))
}

// problem waits until the page says what is wrong.
func (b browser) problem(code string) {
	b.t.Helper()
	b.screen("problem")
	b.until("the problem "+code, fmt.Sprintf("document.documentElement.dataset.problem === %q", code))
}

// TestPageApproves is the way of a login, in both languages.
func TestPageApproves(t *testing.T) {
	t.Parallel()
	for language, words := range map[string]struct{ login, change, wrong, last, done string }{
		"nl": {"Log jij nu in?", "Wil jij je gegevens wijzigen?", "Nog 2 pogingen", "Nog één poging", "Gelukt!"},
		"en": {"Are you logging in now?", "Do you want to change your details?", "2 tries left", "One try left", "Done!"},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			w, b := newWorld(t), newBrowser(t, language)
			id := b.pairs(w)
			b.until("it listens", "!document.querySelector('#listening').hidden")
			b.fits("home, listening")
			b.shots("listening-" + language)
			eventually(t, "the page asks", func() bool { return w.desk.Waiting() == 1 })

			digits := w.desk.Login(id, 110*time.Second)
			b.screen("approve")
			equal(t, b.text("#ask-title"), words.login)
			shown := b.text("#ask-rows")
			for _, part := range []string{"Mijn OPO-R", "Stichting OPO-R", "mijn-opo-r", "Firefox, Utrecht"} {
				if !strings.Contains(shown, part) {
					t.Errorf("%q does not show %q", shown, part)
				}
			}
			if b.text("#ask-left") == "" || !strings.Contains(b.text("#news"), words.login) {
				t.Errorf("time left %q, news %q", b.text("#ask-left"), b.text("#news"))
			}
			b.fits("approve")
			b.shots("approve-" + language)
			b.typeDigits("12")
			b.until("that there are six", "!document.querySelector('#ask-error').hidden")
			b.typeDigits(other(digits))
			b.until("tries left", fmt.Sprintf("document.querySelector('#ask-error').textContent.includes(%q)", words.wrong))
			b.screen("approve")
			b.fits("wrong digits")
			b.shots("wrong-" + language)
			b.typeDigits(other(digits))
			b.until("the last try", fmt.Sprintf("document.querySelector('#ask-error').textContent.includes(%q)", words.last))
			b.typeDigits(digits[:3] + " " + digits[3:])
			b.screen("approved")
			equal(t, b.text("[data-screen=approved] h1"), words.done)
			equal(t, string(w.desk.Decided(id)), string(pairing.DecidedApproved))
			b.fits("approved")
			b.shots("approved-" + language)

			// The next one comes without a touch.
			w.desk.Login(id, time.Minute, func(a *pairing.Approval) { a.Change, a.Station, a.Client, a.From = true, true, "hal-1", "" })
			b.screen("approve")
			equal(t, b.text("#ask-title"), words.change)
			b.fits("approve a change")
			b.shots("change-" + language)
			b.click("[data-act=deny]")
			b.screen("said")
			equal(t, string(w.desk.Decided(id)), string(pairing.DecidedDenied))
			b.fits("denied")
			b.shots("denied-" + language)
			b.click("[data-screen=said] [data-act=home]")
			b.screen("home")

			w.desk.Login(id, time.Minute)
			b.screen("approve")
			b.click("[data-screen=approve] [data-act=notme]")
			b.screen("notme")
			b.fits("not me")
			b.shots("notme-" + language)
			b.click("[data-act=ask]") // back: nothing has happened
			b.screen("approve")
			equal(t, string(w.desk.Decided(id)), "")
			b.click("[data-screen=approve] [data-act=notme]")
			b.screen("notme")
			b.click("[data-act=freeze]")
			b.until("that it is frozen", "document.documentElement.dataset.said === 'frozen'")
			equal(t, string(w.desk.Decided(id)), string(pairing.DecidedFrozen))
			b.fits("frozen")
			b.shots("frozen-" + language)
			if n := w.logs.Len(); n > 0 {
				t.Errorf("%d lines were logged: %v", n, w.logs.All())
			}
		})
	}
}

// TestPageApprovalsEnd: whatever ends a login otherwise is said.
func TestPageApprovalsEnd(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t, func(c *pocket.Config) { c.Limits.Wait = time.Second }), newBrowser(t, "nl")
	id := b.pairs(w)
	ends := func(code string) {
		t.Helper()
		b.problem(code)
		b.fits(code)
		b.shots(code)
		b.leaves("#problem-home", "problem")
		b.screen("home")
	}

	w.desk.Login(id, 3*time.Second)
	b.screen("approve")
	ends("ask-expired")

	w.desk.Login(id, time.Minute)
	b.screen("approve")
	w.desk.EndLogin(id) // the page finds out by itself
	b.problem("ask-over")
	b.fits("ask-over")
	b.shots("ask-over")
	// Whoever it was not can say so still.
	b.click("#problem-notme")
	b.screen("notme")
	b.click("[data-act=ask]")
	b.screen("approve")
	b.problem("ask-over")
	b.click("#problem-notme")
	b.screen("notme")
	b.click("[data-act=freeze]")
	b.until("that it is frozen", "document.documentElement.dataset.said === 'frozen'")
	equal(t, string(w.desk.Decided(id)), string(pairing.DecidedFrozen))
	b.click("[data-screen=said] [data-act=home]")
	b.screen("home")

	digits := w.desk.Login(id, time.Minute)
	b.screen("approve")
	for left := 2; left >= 0; left-- {
		b.typeDigits(other(digits))
		if left > 0 {
			b.until("tries left", fmt.Sprintf("document.querySelector('#ask-error').textContent.includes(%q)", []string{"", "één poging", "2 pogingen"}[left]))
		}
	}
	ends("ask-digits")

	w.desk.Login(id, time.Minute)
	b.screen("approve")
	w.desk.Login(id, time.Minute, func(a *pairing.Approval) { a.From = "Safari, Zwolle" }) // takes its place
	b.until("the second login", "document.querySelector('#ask-rows').textContent.includes('Zwolle')")

	// Who says that it was not them, with a key that counts no more, hears that
	// nothing was frozen.
	b.click("[data-screen=approve] [data-act=notme]")
	b.screen("notme")
	w.desk.Revoke(id)
	b.click("[data-act=freeze]")
	ends("ask-call")
	b.until("the mark", "document.querySelector('.account.wrong .why')")
	b.click("[data-act=forget]")
	b.until("no account", "!document.querySelector('#no-accounts').hidden")

	id = b.pairs(w)
	w.desk.Login(id, time.Minute)
	b.screen("approve")
	w.desk.Revoke(id) // the page finds out by itself
	b.problem("revoked")
	b.fits("revoked")
	b.shots("revoked")
	b.click("#problem-home")
	b.screen("home")
	b.until("the mark", "document.querySelector('.account.wrong .why')")
	b.fits("home, revoked")
	b.shots("home-revoked")
	b.open(w.url + "/p/") // it is remembered
	b.screen("home")
	b.until("the mark", "document.querySelector('.account.wrong .why')")
	if !evaluate[bool](b, "document.querySelector('#listening').hidden") {
		t.Error("it says that it listens for a key that counts no more")
	}
	b.click("[data-act=forget]")
	b.until("no account", "!document.querySelector('#no-accounts').hidden")

	// A key that is revoked while nothing waits is found out too.
	id = b.pairs(w)
	eventually(t, "the page asks", func() bool { return w.desk.Waiting() == 1 })
	w.desk.Revoke(id)
	b.until("the mark", "document.querySelector('.account.wrong .why')")
}

// TestPageAnswersOutlastATrouble: an answer is kept until it has arrived.
func TestPageAnswersOutlastATrouble(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "en")
	id := b.pairs(w)

	// The service cannot answer, the page says so, is closed, and is opened again.
	digits := w.desk.Login(id, time.Minute)
	b.screen("approve")
	w.desk.Fail(domain.ErrUnavailable)
	b.typeDigits(digits)
	b.until("the banner", "!document.querySelector('#banner').hidden")
	b.shots("answer-trouble")
	b.open(w.url + "/p/")
	b.until("the banner again", "!document.querySelector('#banner').hidden")
	w.desk.Fail(nil)
	b.screen("approved")
	equal(t, string(w.desk.Decided(id)), string(pairing.DecidedApproved))

	// The answer to the answer is lost: the same is sent again, and nothing happens twice.
	w.desk.LoseAnswer()
	w.desk.Login(id, time.Minute)
	b.screen("approve")
	b.click("[data-act=deny]")
	b.problem("ask-internal")
	b.fits("ask-internal")
	b.open(w.url + "/p/")
	b.screen("said")
	equal(t, string(w.desk.Decided(id)), string(pairing.DecidedDenied))

	// Without a network until time was up nobody can say whether it came in time.
	b.click("[data-screen=said] [data-act=home]")
	b.screen("home")
	digits = w.desk.Login(id, 4*time.Second)
	b.screen("approve")
	evaluate[bool](b, "self.online = fetch, self.fetch = () => Promise.reject(new TypeError('no network')), true")
	b.typeDigits(digits)
	b.until("the banner", "document.querySelector('#banner').textContent.startsWith('No connection')")
	b.problem("ask-unsure")
	b.fits("ask-unsure")
	b.shots("ask-unsure")
	b.until("the banner, still", "document.querySelector('#banner').textContent.startsWith('No connection')")
	evaluate[bool](b, "self.fetch = self.online, dispatchEvent(new Event('online'))")
	b.until("no banner", "document.querySelector('#banner').hidden")
	w.desk.Login(id, time.Minute)
	b.screen("approve")
}

// TestPageAsksWhileItIsSeen: a page that is hidden asks nothing, and one that is
// seen again asks at once.
func TestPageAsksWhileItIsSeen(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "nl")
	first := b.pairs(w)
	second := b.pairs(w)
	b.until("two accounts", "document.querySelectorAll('.account').length === 2")
	b.fits("two accounts")
	b.shots("two-accounts")
	eventually(t, "a question for each account", func() bool { return w.desk.Waiting() == 2 })
	see := func(state string) {
		evaluate[bool](b, fmt.Sprintf(`Object.defineProperty(document, 'visibilityState', { value: %q, configurable: true }),
			document.dispatchEvent(new Event('visibilitychange'))`, state))
	}
	see("hidden")
	eventually(t, "no question", func() bool { return w.desk.Waiting() == 0 })
	polls := w.desk.Polls()
	time.Sleep(300 * time.Millisecond)
	if n := w.desk.Polls(); n != polls {
		t.Errorf("%d questions while nobody looks", n-polls)
	}
	w.desk.Login(second, time.Minute)
	w.desk.Login(first, time.Minute)
	see("visible")
	b.screen("approve")
	b.click("[data-act=deny]")
	b.screen("approve") // the other one waits as well
	b.click("[data-act=deny]")
	b.screen("said")
	if w.desk.Decided(first) != pairing.DecidedDenied || w.desk.Decided(second) != pairing.DecidedDenied {
		t.Errorf("%q and %q", w.desk.Decided(first), w.desk.Decided(second))
	}

	w.desk.AgeNonces() // the question's nonce is too old: nobody notices
	b.click("[data-screen=said] [data-act=home]")
	b.screen("home")
	w.desk.Login(first, time.Minute)
	b.screen("approve")
}

// TestPageLeavesRoomForKeys: above the keys of a phone stand the field and the
// button that goes with it.
func TestPageLeavesRoomForKeys(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "nl")
	id := b.pairs(w)
	digits := w.desk.Login(id, time.Minute)
	b.screen("approve")
	b.size(360, 400)
	b.typeKeys("#ask-digits", digits)
	b.until("field and button in sight", `['label', '#ask-digits', 'button'].every((s) => {
		const box = document.querySelector('#ask-form').querySelector(s).getBoundingClientRect();
		return box.top >= 0 && box.bottom <= innerHeight;
	})`)
	if dir := os.Getenv("KEYDESK_SHOTS"); dir != "" {
		b.shot(filepath.Join(dir, "keys.png"))
	}
	equal(t, evaluate[string](b, "document.querySelector('#ask-digits').value"), digits[:3]+" "+digits[3:])
}

// TestPageSaysThatItsKeyIsGone: a browser may throw away what it kept.
func TestPageSaysThatItsKeyIsGone(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "nl")
	b.pairs(w)
	evaluate[bool](b, `new Promise((resolve) => {
		const r = indexedDB.deleteDatabase('pocket');
		r.onsuccess = r.onblocked = () => resolve(true);
	})`)
	b.open(w.url + "/p/")
	b.screen("home")
	if why := b.text(".account.wrong .why"); !strings.Contains(why, "sleutel is weg") {
		t.Errorf("it says %q", why)
	}
	b.fits("gone")
	b.shots("gone")
	b.click("[data-act=forget]")
	b.until("no account", "!document.querySelector('#no-accounts').hidden")
	b.open(w.url + "/p/")
	b.screen("home")
	b.until("no account", "!document.querySelector('#no-accounts').hidden")
}

// TestPageApprovesWithLargeText: words stay inside 320 pixels, with a long name
// and text of twice the size.
func TestPageApprovesWithLargeText(t *testing.T) {
	t.Parallel()
	const long = "Mijn Onderwijspersoneelsregistratie"
	w, b := newWorld(t, func(c *pocket.Config) { c.Portal = long }), newBrowser(t, "nl")
	id := b.pairs(w)
	login := func(change bool) {
		w.desk.Login(id, time.Minute, func(a *pairing.Approval) {
			a.Portal, a.Organisation, a.Change = long, "Samenwerkingsstichting Openbaar Onderwijs Regio Achterhoek", change
			a.From = "Samsung Internet op Android, 's-Hertogenbosch"
		})
		b.screen("approve")
	}
	wide := func(screen string) {
		if n := evaluate[int](b, "document.documentElement.scrollWidth - innerWidth"); n > 0 {
			t.Errorf("%s: %d px too wide", screen, n)
		}
		if dir := os.Getenv("KEYDESK_SHOTS"); dir != "" {
			b.shot(filepath.Join(dir, "large-"+screen+".png"))
		}
	}
	login(false)
	b.shots("long-approve")
	b.size(320, 640)
	evaluate[string](b, "document.documentElement.style.fontSize = '200%'")
	wide("approve")
	evaluate[bool](b, "document.querySelector('#ask-form').scrollIntoView(), true")
	wide("approve-form")
	b.typeDigits("000001")
	b.until("the refusal", "!document.querySelector('#ask-error').hidden")
	wide("approve-wrong")
	b.click("[data-screen=approve] [data-act=notme]")
	b.screen("notme")
	wide("notme")
	b.click("[data-act=freeze]")
	b.screen("said")
	wide("frozen")
	login(true)
	wide("change")
}
