package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheKeyOfTheSealsIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), Postgres: "127.0.0.1:0"}
	first, err := cfg.auditKey()
	require.NoError(t, err)
	require.Len(t, first, 32)
	again, err := cfg.auditKey()
	require.NoError(t, err)
	require.Equal(t, first, again)
	file := filepath.Join(cfg.DataDir, "security.key")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	elsewhere, err := Config{DataDir: t.TempDir(), Postgres: "postgres://db/groundwork", SecurityKey: file}.auditKey()
	require.NoError(t, err)
	require.Equal(t, first, elsewhere, "the same file is the same key")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, string(first), strings.TrimSpace(string(text)), "derived")
}

func TestKeysThatAreNone(t *testing.T) {
	t.Parallel()
	server := Config{DataDir: t.TempDir(), Postgres: "postgres://db/groundwork"}
	none, err := server.auditKey()
	require.NoError(t, err)
	require.Empty(t, none, "a server of one's own has no key until one is named")
	file := filepath.Join(t.TempDir(), "key")
	server.SecurityKey = file
	for says, c := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"no such file": {},
		"chmod 600":    {strings.Repeat("x", 64), 0o640},
		"at least 26":  {"short", 0o600},
	} {
		if c.mode != 0 {
			require.NoError(t, os.WriteFile(file, []byte(c.text), c.mode))
			require.NoError(t, os.Chmod(file, c.mode))
		}
		_, err := server.auditKey()
		require.ErrorContains(t, err, "GROUNDWORK_SECURITY_KEY")
		require.ErrorContains(t, err, says)
		_ = os.Remove(file)
	}
}
