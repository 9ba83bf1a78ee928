package embedded

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// chownFile gives one file to the identity.
func (id identity) chownFile(path string) error { return os.Chown(path, id.uid, id.gid) }

// startZombie returns the id of a process that has ended and is not waited for.
func startZombie(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("true")
	require.NoError(t, startOnLastingThread(cmd))
	t.Cleanup(func() { _ = cmd.Wait() })
	eventually(t, func() bool { return findProcess(cmd.Process.Pid) == nil }, "the process has ended")
	require.NoError(t, syscall.Kill(cmd.Process.Pid, 0), "a zombie looks alive to kill")
	return strconv.Itoa(cmd.Process.Pid)
}

// Root's home is closed to nobody, as whom root runs Postgres.
func TestPostgresUnderClosedParent(t *testing.T) {
	t.Parallel()
	needRoot(t)
	if err := exec.Command("unshare", "--user", "true").Run(); err != nil {
		t.Skip("this system forbids user namespaces")
	}
	parent := t.TempDir()
	require.NoError(t, os.Chmod(parent, 0o700))
	dataDir := filepath.Join(parent, "postgres")

	closed := start(t, PostgresConfig{DataDir: dataDir})
	execute(t, closed.DSN("postgres"), "CREATE TABLE kept AS SELECT 'still here' AS word")
	require.Equal(t, userNamespace, chooseIdentity(parent).how)
	require.NoError(t, closed.Stop(t.Context()))

	// The way is opened later, and closed again: the files change their owner.
	for _, mode := range []os.FileMode{0o711, 0o700} {
		require.NoError(t, os.Chmod(filepath.Dir(parent), mode))
		require.NoError(t, os.Chmod(parent, mode))
		again := start(t, PostgresConfig{DataDir: dataDir})
		require.Equal(t, "still here", query(t, again.DSN("postgres"), "SELECT word FROM kept"))
		require.NoError(t, again.Stop(t.Context()))
	}
}

func TestClosedParentWithoutUserNamespaces(t *testing.T) {
	t.Parallel()
	needRoot(t)
	parent := t.TempDir()
	require.NoError(t, os.Chmod(parent, 0o700))
	err := chooseIdentity(parent).explain(parent, syscall.EPERM)
	require.ErrorIs(t, err, syscall.EPERM)
	require.ErrorContains(t, err, "chmod o+x "+parent)
	require.ErrorContains(t, err, "--data-dir")
}

func TestPostgresAsOrdinaryUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dataDir := filepath.Join(ownedTempDir(t), "postgres")
	user := startHelper(t, dataDir, true)
	require.Empty(t, user.Error)
	require.Equal(t, "1", query(t, user.DSN, "SELECT '1'"))
	require.NoError(t, user.input.Close())
	require.NoError(t, user.cmd.Wait())
}

func TestPostgresInReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	var message string
	if os.Geteuid() == 0 { // root may write everywhere; let nobody try
		message = startHelper(t, filepath.Join(openTempDir(t), "postgres"), true).Error
	} else {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, 0o555))
		_, err := StartPostgres(t.Context(), PostgresConfig{DataDir: filepath.Join(dir, "postgres")})
		require.Error(t, err)
		message = err.Error()
	}
	require.Contains(t, message, "cannot be written")
	require.Contains(t, message, "--data-dir or GROUNDWORK_DATA")
}
