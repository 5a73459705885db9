package kiosk

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/stations"
)

// remotely has the kiosks of the tests belong to a server, over TLS, in the
// place of working on the home themselves. These tests run one after the other.
var remotely bool

// TestAtAService runs what enrols people a second time, with the same windows on
// a kiosk that holds no keys.
func TestAtAService(t *testing.T) {
	remotely = true
	defer func() { remotely = false }()
	for name, enrol := range map[string]func(*testing.T){
		"a visit that begins at once":           TestAVisitThatBeginsAtOnce,
		"with SMS":                              TestAWholeEnrolmentWithSMS,
		"with Pocket":                           TestAWholeEnrolmentWithPocket,
		"Terug from pairing":                    TestTerugFromPairingAndANewQRCode,
		"resuming, and a forgotten password":    TestResumingAndAForgottenPassword,
		"refusals":                              TestRefusalsSayWhatToDo,
		"another language":                      TestAnotherLanguageLosesNothing,
		"the wipe":                              TestTheWipeClearsEverything,
		"who waits has longer":                  TestWhoWaitsForACodeHasLonger,
		"a visit ends":                          TestAVisitEnds,
		"the last screen empties itself":        TestTheLastScreenEmptiesItself,
		"the staff exit":                        TestTheStaffExit,
		"a keyboard is enough":                  TestAKeyboardIsEnough,
		"double taps":                           TestDoubleTapsDoNothing,
		"late answers":                          TestLateAnswersAreDropped,
		"five wrong codes":                      TestFiveWrongCodesEndACode,
		"twenty wrong codes":                    TestTwentyWrongCodesLock,
		"refused by a fault, and told after it": TestARefusalAfterAFault,
		"nobody knows whether it was saved":     TestNobodyKnowsWhetherItWasSaved,
		"an SMS that may still arrive":          TestAnSMSThatMayStillArrive,
		"mail that cannot be sent":              TestMailThatCannotBeSent,
		"an SMS that is refused":                TestAnSMSThatIsRefused,
		"SMS that cannot be sent":               TestSMSThatCannotBeSent,
		"a log that is away":                    TestALogThatIsAway,
		"the kiosk tries again by itself":       TestTheKioskTriesAgainByItself,
		"a fault is no sign of life":            TestAFaultIsNoSignOfLife,
		"a ticket":                              TestATicketIsTyped,
		"no ticket":                             TestNoTicket,
		"logging in with SMS":                   TestLoggingInWithSMS,
		"nobody is told which is wrong":         TestNobodyIsToldWhichIsWrong,
		"logging in too early":                  TestLoggingInBeforeTheEnrolmentIsDone,
		"the changes":                           TestTheChangesOfWhoUsesSMS,
		"to Pocket and back":                    TestToPocketAndBack,
		"an approval that ends":                 TestAnApprovalThatEnds,
		"this was not me":                       TestThisWasNotMe,
		"a lost phone":                          TestALostPhoneThatIsFound,
		"another phone":                         TestAnotherPhoneWithTheSameNumber,
	} {
		t.Run(name, enrol)
	}
}

// reach returns the desk of a kiosk, and as which station it is there: the home's,
// or a client of it over TLS.
func reach(t *testing.T, h *home.Home, now func() time.Time) (Desk, string) {
	t.Helper()
	if !remotely {
		return h.Desk, h.Station
	}
	const id = "hal-west"
	b, err := h.Authority.Bundle(id, 90*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), id+".pem")
	if err := remote.WriteBundle(file, b); err != nil {
		t.Fatal(err)
	}
	if err := h.Desk.AdmitStation(t.Context(), id, station.Kiosk, b.Certificate()); err != nil {
		t.Fatal(err)
	}
	client, err := remote.Open(answer(t, h, now), file, remote.Options{
		Version: "test", Now: now, Report: func(_ string, err error) { t.Log(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	together(t, client.Run)
	t.Cleanup(client.Close)
	return client, id
}

// answer has a home's stations answered, and returns where.
func answer(t *testing.T, h *home.Home, now func() time.Time) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	directory := stations.New()
	if err := feed.Over(domain.StationPrefix, h.Log, now, directory).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	handler := remote.NewHandler(remote.Config{
		Desk: h.Desk, Directory: directory, Known: func() bool { return true }, Authority: h.Authority, Trouble: h.Trouble, Log: zap.NewNop(), Now: now, Life: time.Hour,
	})
	together(t, func(ctx context.Context) error { return handler.Serve(ctx, l, []string{"127.0.0.1"}) })
	return "https://" + l.Addr().String()
}

// together runs something until the test ends.
func together(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
