package main

import (
	"context"
	"os"
	"time"

	"groundwork/internal/app"
)

type apiKeyCommand struct {
	Create apiKeyCreate `cmd:"" help:"Make a key and print it, this once."`
	List   apiKeyList   `cmd:"" help:"List the keys: whose they are, until when, when last used."`
	Revoke apiKeyRevoke `cmd:"" help:"End a key for good."`
}

type apiKeyCreate struct {
	Account string        `arg:"" help:"Name of the application that gets the key."`
	Valid   time.Duration `help:"How long the key is valid; 0 = until it is revoked." default:"8760h"`
}

func (apiKeyCreate) Help() string {
	return `The key lets an application file requests over Open311, at /open311/v2/requests. It is shown once; only its digest is kept.

Examples:
  groundwork apikey create city-app
  groundwork apikey create city-app --valid 2160h`
}

func (k apiKeyCreate) Run(ctx context.Context, c *Common) error {
	return app.CreateAPIKey(ctx, c.config(), k.Account, k.Valid, os.Stdout, os.Stderr)
}

type apiKeyList struct{}

func (apiKeyList) Run(ctx context.Context, c *Common) error {
	return app.ListAPIKeys(ctx, c.config(), os.Stdout)
}

type apiKeyRevoke struct {
	ID string `arg:"" help:"Id of the key, as the list shows it."`
}

func (k apiKeyRevoke) Run(ctx context.Context, c *Common) error {
	return app.RevokeAPIKey(ctx, c.config(), k.ID, os.Stdout)
}
