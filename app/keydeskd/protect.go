package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/store"
)

type protectCommand struct {
	Admin    string   `default:"admin" help:"An administrator of the server."`
	Password string   `name:"admin-password-file" required:"" placeholder:"FILE" help:"The file that holds the administrator's password."`
	User     []string `help:"Who may read and append: log.user by default. Only administrators may delete." placeholder:"NAME"`
}

var errNoServer = errors.New("log.url names a file: only a server has access lists")

func (c protectCommand) Run(a *app) (err error) {
	set, err := a.load()
	if err != nil {
		return err
	}
	if strings.HasPrefix(set.Log.URL, store.Scheme) {
		return errNoServer // and opening would make it
	}
	b, err := os.ReadFile(c.Password)
	if err != nil {
		return err
	}
	l, err := home.OpenLog(a.ctx, set.Log, zap.NewNop())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	server, ok := l.(*store.ESDB)
	if !ok {
		return errNoServer
	}
	access := store.Access{AdminUser: c.Admin, AdminPassword: strings.TrimRight(string(b), "\r\n"), Users: c.User}
	if err := server.Protect(a.ctx, access); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, "users may read and append, and only administrators delete")
	return err
}
