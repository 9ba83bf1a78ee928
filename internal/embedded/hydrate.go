package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// symlinksFile of the npm package lists the links that its install script makes. We install with --ignore-scripts, so that
// no foreign script runs, and make them here. Without them: "libicuuc.so.60: cannot open shared object file".
const symlinksFile = "pg-symlinks.json"

// usableBinaries returns a directory with the same binaries as binDir that the identity can run. For the npm package it makes
// the missing links and execute bits. Where it may not, or where the identity cannot reach the package (node_modules under
// root's home), it copies the package once to a cache directory, 60 MB.
func usableBinaries(binDir string, as identity) (string, error) {
	native := filepath.Dir(binDir)
	isPackage := isFile(filepath.Join(native, symlinksFile))
	if !isPackage {
		if blocked := as.blockedAt(filepath.Join(binDir, "postgres")); blocked != "" {
			return "", fmt.Errorf("the user nobody, as whom root runs Postgres, cannot reach %s: run `chmod o+rx %s`, or set GROUNDWORK_POSTGRES_BIN",
				blocked, blocked)
		}
		return binDir, nil
	}
	err := hydrate(native)
	if err != nil && !isDenied(err) {
		return "", err
	}
	if err == nil && reachable(native, as) {
		return binDir, nil
	}
	cached, err := cachedCopy(native, as)
	if err != nil {
		return "", fmt.Errorf("copy the Postgres binaries from %s: %w", native, err)
	}
	return filepath.Join(cached, "bin"), nil
}

func reachable(native string, as identity) bool {
	for _, path := range []string{"bin/postgres", "bin/initdb", "lib/postgresql", "share/postgresql/postgres.bki"} {
		if as.blockedAt(filepath.Join(native, path)) != "" {
			return false
		}
	}
	return true
}

func isDenied(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// link is one entry of symlinksFile; both paths are relative to the package and begin with "native/".
type link struct{ Source, Target string }

// hydrate makes the links and execute bits of the package whose native directory is given. It changes nothing that is right
// already, and several processes may do it at once.
func hydrate(native string) error {
	text, err := os.ReadFile(filepath.Join(native, symlinksFile))
	if err != nil {
		return fmt.Errorf("prepare the Postgres binaries: %w", err)
	}
	var links []link
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("prepare the Postgres binaries: %s: %w: reinstall with `make engines`", filepath.Join(native, symlinksFile), err)
	}
	unlock, err := lockDirectory(native)
	if err != nil {
		return fmt.Errorf("prepare the Postgres binaries: %w", err)
	}
	defer unlock()
	for _, l := range links {
		if err := l.make(filepath.Dir(native)); err != nil {
			return fmt.Errorf("prepare the Postgres binaries: %w", err)
		}
	}
	return makeExecutable(filepath.Join(native, "bin"))
}

// lockDirectory waits for a lock on the directory itself, which leaves no file behind and works on read-only file systems.
func lockDirectory(dir string) (unlock func(), err error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, unix.EINTR) {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
	}
}

func (l link) make(pkg string) error {
	if !filepath.IsLocal(l.Source) || !filepath.IsLocal(l.Target) {
		return fmt.Errorf("%s names a path outside the package (%s, %s): reinstall with `make engines`", symlinksFile, l.Source, l.Target)
	}
	source, target := filepath.Join(pkg, l.Source), filepath.Join(pkg, l.Target)
	if !isFile(source) {
		return fmt.Errorf("%s is missing: reinstall with `make engines`", source)
	}
	want, err := filepath.Rel(filepath.Dir(target), source)
	if err != nil {
		return err
	}
	if have, err := os.Readlink(target); err == nil && have == want {
		return nil
	}
	// By way of another name: a Postgres that starts now sees either the old or the new file, never none.
	temporary := target + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(want, temporary); err != nil {
		return err
	}
	return os.Rename(temporary, target)
}

func makeExecutable(binDir string) error {
	entries, err := os.ReadDir(binDir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm(); info.Mode().IsRegular() && mode&0o111 != 0o111 {
			if err := os.Chmod(filepath.Join(binDir, entry.Name()), mode|0o111); err != nil {
				return err
			}
		}
	}
	return nil
}

// cachedCopy copies a native directory, with its links, to a directory that the identity can reach, unless it is there.
func cachedCopy(native string, as identity) (string, error) {
	version, err := packageVersion(filepath.Dir(native))
	if err != nil {
		return "", err
	}
	cache, err := cacheDir(as)
	if err != nil {
		return "", err
	}
	unlock, err := lockDirectory(cache)
	if err != nil {
		return "", err
	}
	defer unlock()
	final := filepath.Join(cache, "postgres-"+version)
	if isFile(filepath.Join(final, "native", "bin", "postgres")) {
		return filepath.Join(final, "native"), nil
	}
	removeAll(filepath.Join(cache, ".new-*")) // of a run that was killed; the lock says that no other is at it
	temporary, err := os.MkdirTemp(cache, ".new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary) // nothing to remove once renamed
	if err := copyTree(native, filepath.Join(temporary, "native")); err != nil {
		return "", err
	}
	if err := hydrate(filepath.Join(temporary, "native")); err != nil {
		return "", err
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return "", err
	}
	return filepath.Join(final, "native"), os.Rename(temporary, final)
}

// removeAll removes what matches the pattern, as far as it can.
func removeAll(pattern string) {
	matches, _ := filepath.Glob(pattern)
	for _, path := range matches {
		_ = os.RemoveAll(path)
	}
}

// packageVersion names the copy. The architecture is part of it: home directories are shared between machines.
func packageVersion(pkg string) (string, error) {
	text, err := os.ReadFile(filepath.Join(pkg, "package.json"))
	if err != nil {
		return "", err
	}
	var manifest struct{ Version string }
	if err := json.Unmarshal(text, &manifest); err != nil || manifest.Version == "" || !filepath.IsLocal(manifest.Version) {
		return "", fmt.Errorf("%s has no version: reinstall with `make engines`", filepath.Join(pkg, "package.json"))
	}
	return manifest.Version + "-" + npmArch(), nil
}

// cacheDir returns a directory for copies which the identity can reach and which nobody but us can write to: what lies in it
// is executed.
func cacheDir(as identity) (string, error) {
	candidates := []string{filepath.Join(os.TempDir(), fmt.Sprintf("groundwork-%d", os.Geteuid()))}
	if os.Geteuid() == 0 {
		candidates = append([]string{"/var/cache/groundwork"}, candidates...)
	} else if home, err := os.UserCacheDir(); err == nil {
		candidates = append([]string{filepath.Join(home, "groundwork")}, candidates...)
	}
	var problems []error
	for _, dir := range candidates {
		err := privateDir(dir)
		if err == nil && as.blockedAt(dir) != "" {
			err = fmt.Errorf("%s cannot be entered by user %d", as.blockedAt(dir), as.uid)
		}
		if err == nil {
			return dir, nil
		}
		problems = append(problems, err)
	}
	return "", fmt.Errorf("no usable cache directory: %w", errors.Join(problems...))
}

func privateDir(dir string) error {
	if err := makeDirs(filepath.Dir(dir)); err != nil {
		return err
	}
	switch err := os.Mkdir(dir, 0o755); {
	case err == nil:
		return os.Chmod(dir, 0o755)
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if !info.IsDir() || int(owner) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s must be a directory of user %d that nobody else can write to: remove it", dir, os.Geteuid())
	}
	return nil
}

// copyTree copies directories and files, readable for all; hydrate makes the links anew.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		switch {
		case entry.IsDir():
			if err := os.Mkdir(target, 0o755); err != nil {
				return err
			}
			return os.Chmod(target, 0o755)
		case entry.Type().IsRegular():
			return copyFile(path, target)
		}
		return nil
	})
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	if err := target.Chmod(0o644); err != nil { // against the umask; hydrate adds the execute bits
		target.Close()
		return err
	}
	return target.Close()
}
