package sqlguard

import (
	"slices"
	"strings"
)

// Catalog is what the engine holds, as far as judging a statement of a read-only user needs it.
type Catalog struct {
	// Private are the names of all tables, views and dictionaries that are not published, in any database.
	Private map[string]bool
	// TableFunctions are the names of all table functions of the engine, in lower case.
	TableFunctions map[string]bool
}

// harmlessTableFunctions make rows out of their arguments alone.
var harmlessTableFunctions = []string{
	"numbers", "numbers_mt", "zeros", "zeros_mt", "generateseries", "generate_series", "values", "format", "null",
}

// reachingFunctions read tables, dictionaries or files that they are given by name.
var reachingFunctions = []string{"dict", "joinget", "file", "catboost", "hascolumnintable", "evalml", "getmacro"}

// openSystemTables describe the engine and the published tables; the others show what other users do and store.
var openSystemTables = []string{
	"one", "numbers", "tables", "columns", "databases", "functions", "table_functions", "table_engines", "settings",
	"data_type_families", "formats", "time_zones", "collations", "keywords", "aggregate_function_combinators", "build_options",
}

var openShows = []string{"TABLES", "DATABASES", "COLUMNS", "FIELDS", "FULL", "CREATE", "FUNCTIONS", "SETTINGS", "ENGINES"}

// CheckReadOnly tells whether a read-only user may run the statement: a query that names no private table and calls no
// function that could reach one by other means. It judges names wherever they stand, not only where a table is expected:
// no way of writing a query then leads to a table whose name cannot be written. So a published column must not be named
// as a private table.
//
// That the statement writes nothing and changes no setting is left to the engine's readonly mode.
func (s *Statement) CheckReadOnly(c Catalog) error {
	if s.Kind != Query || s.Keyword == "CHECK" {
		return refuse(CodeReadonly, "this user may only read: %s is not allowed", s.Keyword)
	}
	if s.Keyword == "SHOW" && (len(s.tokens) < 2 || !slices.ContainsFunc(openShows, s.tokens[1].is)) {
		return refuse(CodeAccessDenied, "this user may not run this SHOW statement")
	}
	for i, t := range s.tokens {
		if err := s.checkToken(c, i, t); err != nil {
			return err
		}
	}
	return nil
}

func (s *Statement) checkToken(c Catalog, i int, t token) error {
	switch t.kind {
	case symbol:
		if t.text == "{" && i+3 < len(s.tokens) && s.tokens[i+3].is("IDENTIFIER") {
			return refuse(CodeAccessDenied, "this user may not pass names as parameters: write the name in the query")
		}
		return nil
	case literal:
		if s.tokens[max(i-1, 0)].is("UUID") {
			return refuse(CodeAccessDenied, "this user may not address tables by UUID")
		}
		return nil
	}
	name := t.text
	if t.kind == quoted {
		name = t.text[1 : len(t.text)-1]
		if strings.ContainsAny(name, "\\`\"") {
			return refuse(CodeAccessDenied, "this user may not use escapes in the name %.80s", t.text)
		}
	}
	if err := checkName(c, name); err != nil {
		return err
	}
	if strings.EqualFold(name, "system") {
		return s.checkSystem(i)
	}
	if i+1 < len(s.tokens) && s.tokens[i+1].is("(") {
		return checkCall(c, strings.ToLower(name))
	}
	return nil
}

func checkName(c Catalog, name string) error {
	parts := strings.Split(name, ".")
	for _, part := range append(parts, name) {
		if c.Private[part] {
			return refuse(CodeAccessDenied, "Not enough privileges: %.80s is not published; read the tables whose names begin with pub_", name)
		}
	}
	if len(parts) > 1 && strings.EqualFold(parts[0], "system") && !slices.Contains(openSystemTables, parts[1]) {
		return refuse(CodeAccessDenied, "Not enough privileges: this user may not read %.80s", name)
	}
	return nil
}

// checkSystem judges what follows the name of the system database.
func (s *Statement) checkSystem(i int) error {
	if i+2 >= len(s.tokens) || !s.tokens[i+1].is(".") {
		return nil
	}
	table := strings.Trim(s.tokens[i+2].text, "`\"")
	if !slices.Contains(openSystemTables, table) {
		return refuse(CodeAccessDenied, "Not enough privileges: this user may not read system.%.80s", table)
	}
	return nil
}

func checkCall(c Catalog, name string) error {
	reaching := slices.ContainsFunc(reachingFunctions, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	if reaching || c.TableFunctions[name] && !slices.Contains(harmlessTableFunctions, name) {
		return refuse(CodeAccessDenied, "Not enough privileges: this user may not call %.80s()", name)
	}
	return nil
}
