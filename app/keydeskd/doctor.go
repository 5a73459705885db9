package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

type doctorCommand struct {
	JSON bool `name:"json" help:"Print the findings as JSON."`
}

// Help is what --help adds.
func (doctorCommand) Help() string {
	return `It looks at the settings, the data folder, the log, the vault, mail, SMS and the address for phones, and says of each what is wrong and how to mend it. It sends no message and makes nothing new; it records a probe in the log, which nothing else reads, and not in an empty one.

Exit status, for monitoring: 0 when all is well, 3 when there are warnings only, 1 when something is bad.`
}

// A verdict is what became of a check.
type verdict string

// The verdicts. What was skipped says nothing.
const (
	isWell  verdict = "ok"
	isWarn  verdict = "warn"
	isBad   verdict = "bad"
	skipped verdict = "skipped"
)

// A finding is what one check found. It holds no secret, no address and no
// number of a person.
type finding struct {
	Check  string  `json:"check"`
	Result verdict `json:"result"`
	Says   string  `json:"says"`
	Do     string  `json:"do,omitempty"` // how to mend it

	blocks bool // what needs this check cannot be checked
}

func well(says string, args ...any) finding {
	return finding{Result: isWell, Says: fmt.Sprintf(says, args...)}
}

func warn(do, says string, args ...any) finding {
	return finding{Result: isWarn, Says: fmt.Sprintf(says, args...), Do: do}
}

func bad(do, says string, args ...any) finding {
	return finding{Result: isBad, Says: fmt.Sprintf(says, args...), Do: do, blocks: true}
}

func skip(says string, args ...any) finding {
	return finding{Result: skipped, Says: fmt.Sprintf(says, args...), blocks: true}
}

// blocking says that what needs this has nothing to look at.
func (f finding) blocking() finding {
	f.blocks = true
	return f
}

// A check looks at one thing, within a time.
type check struct {
	name  string
	needs []string // of the checks before it
	run   func(context.Context) finding
}

// checkWithin is how long one check may take.
const checkWithin = 10 * time.Second

// examine runs checks in their order. One that needs a check which was bad or
// skipped is skipped.
func examine(ctx context.Context, within time.Duration, checks []check, tell func(finding)) {
	blocked := map[string]bool{}
	for _, c := range checks {
		var f finding
		if i := slices.IndexFunc(c.needs, func(n string) bool { return blocked[n] }); i >= 0 {
			f = skip("see %s", c.needs[i])
		} else {
			f = runWithin(ctx, within, c.run)
		}
		f.Check, blocked[c.name] = c.name, f.blocks
		tell(f)
	}
}

// runWithin gives a check up that does not heed its deadline.
func runWithin(ctx context.Context, within time.Duration, run func(context.Context) finding) finding {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	done := make(chan finding, 1)
	go func() { done <- run(ctx) }()
	select {
	case f := <-done:
		return f
	case <-ctx.Done():
	}
	select { // it may be about to say why
	case f := <-done:
		return f
	case <-time.After(time.Second):
		return bad("see whether the machine or the disk is overloaded, or a firewall swallows the connection", "no answer within %s", within)
	}
}

// A healthError is the exit status of what was said already.
type healthError int

func (h healthError) Error() string { return "not all is well" }

func (c doctorCommand) Run(a *app) error {
	p := newPatient(a)
	defer p.close()
	report := struct {
		Result verdict   `json:"result"`
		Checks []finding `json:"checks"`
	}{Result: isWell, Checks: []finding{}}
	examine(a.ctx, checkWithin, p.checks(), func(f finding) {
		report.Checks = append(report.Checks, f)
		if f.Result == isBad || f.Result == isWarn && report.Result == isWell {
			report.Result = f.Result
		}
		if !c.JSON {
			printFinding(a.out, f)
		}
	})
	if c.JSON {
		out := json.NewEncoder(a.out)
		out.SetEscapeHTML(false)
		if err := out.Encode(report); err != nil {
			return err
		}
	}
	switch report.Result {
	case isBad:
		return healthError(1)
	case isWarn:
		return healthError(3)
	case isWell, skipped:
	}
	return nil
}

// printFinding prints a finding on a line, and how to mend it below.
func printFinding(out io.Writer, f finding) {
	const indent = "                        "
	says := strings.ReplaceAll(strings.TrimSpace(f.Says), "\n", "\n"+indent)
	fmt.Fprintf(out, "%-8s%-16s%s\n", f.Result, f.Check, says)
	if f.Do != "" {
		fmt.Fprintf(out, "%s→ %s\n", indent, f.Do)
	}
}
