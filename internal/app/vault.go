package app

import (
	"context"
	"fmt"
	"io"

	"groundwork/postgres"
)

// RekeyVault encrypts identities with the first key of --vault-key, as the role that alone reads them.
func RekeyVault(ctx context.Context, cfg Config, dryRun bool, out io.Writer) error {
	keys, err := cfg.vaultKeys()
	if err != nil {
		return err
	}
	store, err := cfg.openAs(ctx, postgres.RoleVault, postgres.Options{VaultKeys: keys})
	if err != nil {
		return err
	}
	defer store.Close()
	n, err := store.Rekey(ctx, dryRun)
	says := "%d identities encrypted with the first key\n"
	if dryRun {
		says = "%d identities would be encrypted with the first key\n"
	}
	if err == nil {
		fmt.Fprintf(out, says, n)
	}
	return err
}
