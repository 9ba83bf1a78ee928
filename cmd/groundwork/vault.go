package main

import (
	"context"
	"os"

	"groundwork/internal/app"
)

type vaultCommand struct {
	Rekey vaultRekey `cmd:"" help:"Encrypt with the first key what is encrypted with another."`
}

type vaultRekey struct {
	DryRun bool `help:"Only count."`
}

func (vaultRekey) Help() string {
	return `To change the key of the vault: put a new one in front of the others in the file of --vault-key, restart the API, run this, and take the
old one away. Identities can be read all the while.

Examples:
  groundwork vault rekey --dry-run
  groundwork vault rekey --vault-key vault.key --postgres postgres://gw_vault:secret@db/groundwork`
}

func (v vaultRekey) Run(ctx context.Context, c *Common) error {
	return app.RekeyVault(ctx, c.config(), v.DryRun, os.Stdout)
}
