package main

type settingsCommand struct{}

func (settingsCommand) Run(a *app) error {
	set, err := a.load()
	if err != nil {
		return err
	}
	return set.Print(a.out)
}
