package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Copy copies the seal in a folder into another one, which is not there yet, while
// others add to it. False: there is no seal. The copy holds what the newest checkpoint
// covers, and perhaps some of what comes behind it, which whoever goes on from there
// cuts off and seals anew. It is on disk when Copy returns.
func Copy(from, to string) (bool, error) {
	f, t := folder(from), folder(to)
	if _, err := os.Stat(f.path(treeFile)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return false, fmt.Errorf("copy the seal: %w", err)
	}
	// What a checkpoint covers never changes. So checkpoints come first, then what
	// they are of.
	for _, name := range []string{checkpointFile, checkpointsFile, witnessesFile, treeFile, hashesFile, indexFile} {
		if err := copyFile(f.path(name), t.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("copy the seal: %s: %w", name, err)
		}
	}
	return true, t.sync()
}

func copyFile(from, to string) error {
	in, err := os.Open(from) //nolint:gosec // a file of the seal
	if err != nil {
		return err
	}
	defer in.Close()                                                      //nolint:errcheck // only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in a folder of our own
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
