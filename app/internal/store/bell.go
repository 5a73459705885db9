package store

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// How often a follower looks by itself: seldom when it is told of every
// commit, often when the system refuses to watch files (inotify's limits).
const (
	lookSeldom = time.Second
	lookOften  = 25 * time.Millisecond
)

// A bell tells all followers of a log, in all processes, that something was
// committed. It is a file beside the log of which one byte is overwritten after
// each commit, and which the others watch. Watching SQLite's own files would
// ring before the commit can be read.
type bell struct {
	file *os.File

	mu      sync.Mutex
	closed  bool
	ears    map[chan struct{}]bool
	watcher *fsnotify.Watcher // from the first follower on
	done    chan struct{}     // closed when nobody reads the watcher any more
}

func newBell(path string) (*bell, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // beside the log
	if err != nil {
		return nil, err
	}
	return &bell{file: f, ears: make(map[chan struct{}]bool)}, nil
}

// ring wakes the followers. What goes wrong with the file is no reason to
// fail: followers look by themselves, too.
func (b *bell) ring() {
	b.wake()
	_, _ = b.file.WriteAt([]byte{'\n'}, 0)
}

func (b *bell) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ear := range b.ears {
		select {
		case ear <- struct{}{}:
		default: // has not heard the last one yet
		}
	}
}

// listen returns a channel that gets something after every commit, and how
// often to look without it.
func (b *bell) listen() (ear chan struct{}, look time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ear = make(chan struct{}, 1)
	b.ears[ear] = true
	if b.watcher == nil && !b.closed {
		b.watch()
	}
	if b.watcher == nil {
		return ear, lookOften
	}
	return ear, lookSeldom
}

func (b *bell) leave(ear chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.ears, ear)
}

// watch begins to watch the file, if the system lets us.
func (b *bell) watch() {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return
	}
	if err := w.Add(b.file.Name()); err != nil {
		_ = w.Close() // nothing is watched
		return
	}
	b.watcher, b.done = w, make(chan struct{})
	go b.hear(w, b.done)
}

func (b *bell) hear(w *fsnotify.Watcher, done chan<- struct{}) {
	defer close(done)
	for {
		select {
		case _, ok := <-w.Events:
			if !ok {
				return
			}
		case _, ok := <-w.Errors: // an overflow: some were lost
			if !ok {
				return
			}
		}
		b.wake()
	}
}

func (b *bell) close() error {
	b.mu.Lock()
	b.closed = true
	w, done := b.watcher, b.done
	b.mu.Unlock()
	var err error
	if w != nil {
		err = w.Close()
		<-done
	}
	return errors.Join(err, b.file.Close())
}
