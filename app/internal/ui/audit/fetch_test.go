package audit

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// parts gives a bundle in parts of 1000 bytes; after some of them it fails.
func parts(bundle []byte, fails int) func(context.Context, int64) ([]byte, error) {
	return func(ctx context.Context, at int64) ([]byte, error) {
		if at >= int64(fails)*1000 {
			return nil, errors.New("the line is gone")
		}
		return bundle[at:min(len(bundle), int(at)+1000)], ctx.Err()
	}
}

func TestABundleComesWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	bundle := bytes.Repeat([]byte("0123456789"), 1234)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx     context.Context //nolint:containedctx // of one case
		fails   int
		size    int
		there   bool // a file of that name is
		replace bool
		folder  string
		err     error // anyError: some
		want    string
	}{
		"all of it":                       {fails: 99, size: len(bundle), want: string(bundle)},
		"where there is a file":           {fails: 99, size: len(bundle), there: true, err: errThere, want: "old"},
		"in the place of a file":          {fails: 99, size: len(bundle), there: true, replace: true, want: string(bundle)},
		"the line goes":                   {fails: 5, size: len(bundle), there: true, replace: true, err: errAny, want: "old"},
		"it ends early":                   {fails: 99, size: len(bundle) + 1, err: errLength},
		"it goes on":                      {fails: 99, size: len(bundle) - 1, err: errLength},
		"the shift ends":                  {ctx: gone, fails: 99, size: len(bundle), err: context.Canceled},
		"into a folder that is not there": {fails: 99, size: len(bundle), folder: "weg", err: errAny},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, tt.folder, "bundel.zip")
			if tt.there {
				if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ctx, told := tt.ctx, int64(0)
			if ctx == nil {
				ctx = t.Context()
			}
			f := fetching{part: parts(bundle, tt.fails), size: int64(tt.size), path: path, replace: tt.replace, progress: func(n int64) { told = n }}
			err := f.run(ctx)
			if ok := err == nil; ok != (tt.err == nil) || tt.err != nil && tt.err != errAny && !errors.Is(err, tt.err) { //nolint:errorlint // a mark
				t.Errorf("it says %v", err)
			}
			if err == nil && told != int64(len(bundle)) {
				t.Errorf("it told of %d bytes", told)
			}
			got, err := os.ReadFile(path) //nolint:gosec // the test's own
			if string(got) != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("the file holds %d bytes, %v", len(got), err)
			}
			if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("others may read it: %v", info.Mode())
			}
			left, err := filepath.Glob(filepath.Join(dir, ".*"))
			if err != nil || len(left) > 0 {
				t.Errorf("beside it %q is left", left)
			}
		})
	}
}

// errAny stands for whatever error there may be.
var errAny = errors.New("some error")
