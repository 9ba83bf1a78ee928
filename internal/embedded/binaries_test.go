package embedded

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMissingEnginesNameTheRemedy(t *testing.T) {
	t.Parallel()
	nowhere := t.TempDir()
	search := Search{PostgresBin: nowhere, ChdbLibrary: filepath.Join(nowhere, "libchdb.so")}

	_, err := search.Postgres()
	var missing *MissingError
	require.ErrorAs(t, err, &missing)
	require.Equal(t, []string{nowhere}, missing.Searched)
	require.ErrorContains(t, err, "make engines")
	require.ErrorContains(t, err, "GROUNDWORK_POSTGRES_BIN")

	_, err = search.Chdb()
	require.ErrorAs(t, err, &missing)
	require.ErrorContains(t, err, "make engines")
	require.ErrorContains(t, err, "GROUNDWORK_CHDB_LIB")
}

func TestSearchPrefersNodeModules(t *testing.T) {
	t.Parallel()
	modules := t.TempDir()
	bin := filepath.Join(modules, "@embedded-postgres", "linux-"+npmArch(), "native", "bin")
	library := filepath.Join(modules, "@chdb", "lib-linux-"+npmArch()+"-gnu", "libchdb.so")
	for _, path := range []string{filepath.Join(bin, "initdb"), filepath.Join(bin, "postgres"), library} {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o755))
	}
	search := Search{NodeModules: modules}
	found, err := search.Postgres()
	require.NoError(t, err)
	require.Equal(t, bin, found)
	found, err = search.Chdb()
	require.NoError(t, err)
	require.Equal(t, library, found)
}

// npmPackage returns the native directory of the installed package, or skips.
func npmPackage(t *testing.T) string {
	t.Helper()
	binDir, err := SearchFromEnvironment().Postgres()
	require.NoError(t, err)
	native := filepath.Dir(binDir)
	if !isFile(filepath.Join(native, symlinksFile)) {
		t.Skip("Postgres does not come from the npm package")
	}
	return native
}

// freshPackage copies the installed package as `npm ci --ignore-scripts` leaves it: no links, no execute bits.
func freshPackage(t *testing.T, dir string) (native string) {
	t.Helper()
	source := npmPackage(t)
	native = filepath.Join(dir, "native")
	require.NoError(t, copyTree(source, native))
	require.NoError(t, copyFile(filepath.Join(source, "..", "package.json"), filepath.Join(dir, "package.json")))
	return native
}

func requireLinks(t *testing.T, native string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(native, symlinksFile))
	require.NoError(t, err)
	var links []link
	require.NoError(t, json.Unmarshal(text, &links))
	require.Len(t, links, 14)
	for _, l := range links {
		want, err := filepath.EvalSymlinks(filepath.Join(native, "..", l.Source))
		require.NoError(t, err)
		got, err := filepath.EvalSymlinks(filepath.Join(native, "..", l.Target))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	leftovers, err := filepath.Glob(filepath.Join(native, "lib", "*.new"))
	require.NoError(t, err)
	require.Empty(t, leftovers)
}

func TestHydrateConcurrentlyAndAgain(t *testing.T) {
	t.Parallel()
	native := freshPackage(t, openTempDir(t))
	broken := filepath.Join(native, "lib", "libpq.so.5")
	require.NoError(t, os.Symlink("nothing", broken), "a wrong link is put right")

	var group sync.WaitGroup
	errors := make([]error, 8)
	for i := range errors {
		group.Go(func() { errors[i] = hydrate(native) })
	}
	group.Wait()
	for _, err := range errors {
		require.NoError(t, err)
	}
	requireLinks(t, native)
	require.NoError(t, hydrate(native))

	start(t, PostgresConfig{DataDir: filepath.Join(openTempDir(t), "postgres"), BinDir: filepath.Join(native, "bin")})
}

func TestHydrateRefusesForeignPaths(t *testing.T) {
	t.Parallel()
	native := filepath.Join(t.TempDir(), "native")
	require.NoError(t, os.MkdirAll(filepath.Join(native, "bin"), 0o755))
	list := filepath.Join(native, symlinksFile)

	require.NoError(t, os.WriteFile(list, []byte(`[{"source":"native/lib/x","target":"../../x"}]`), 0o644))
	require.ErrorContains(t, hydrate(native), "outside the package")
	require.NoError(t, os.WriteFile(list, []byte(`[{"source":"native/lib/x","target":"native/lib/y"}]`), 0o644))
	require.ErrorContains(t, hydrate(native), "make engines")
}

// node_modules under root's home: nobody cannot reach them, so that they are copied.
func TestUnreachableBinariesAreCopied(t *testing.T) {
	t.Parallel()
	needRoot(t)
	closed := t.TempDir()
	require.NoError(t, os.Chmod(closed, 0o700))
	native := freshPackage(t, closed)

	usable, err := usableBinaries(filepath.Join(native, "bin"), nobodyIdentity())
	require.NoError(t, err)
	require.NotEqual(t, filepath.Join(native, "bin"), usable)
	requireLinks(t, filepath.Dir(usable))
	require.True(t, reachable(filepath.Dir(usable), nobodyIdentity()))
	again, err := usableBinaries(filepath.Join(native, "bin"), nobodyIdentity())
	require.NoError(t, err)
	require.Equal(t, usable, again)
	start(t, PostgresConfig{DataDir: filepath.Join(openTempDir(t), "postgres"), BinDir: filepath.Join(native, "bin")})
}

func TestCacheDirectoryOfSomebodyElseIsRefused(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, privateDir(dir))
	require.NoError(t, os.Chmod(dir, 0o777))
	require.ErrorContains(t, privateDir(dir), "nobody else can write")

	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	require.ErrorContains(t, privateDir(link), "must be a directory")
}

func TestLockDataDir(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	unlock, err := LockDataDir(dir)
	require.NoError(t, err)
	_, err = LockDataDir(dir)
	var locked *LockedError
	require.ErrorAs(t, err, &locked)
	unlock()
	unlock()
	unlock, err = LockDataDir(dir)
	require.NoError(t, err)
	unlock()
}
