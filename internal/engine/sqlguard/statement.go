package sqlguard

import (
	"strings"
)

// Kind says how a statement is run.
type Kind uint8

const (
	// Query gives rows: SELECT, SHOW, DESCRIBE, EXPLAIN, EXISTS, CHECK.
	Query Kind = iota + 1
	// Insert carries data after FORMAT or VALUES.
	Insert
	// Command is anything else, INSERT … SELECT included. It may leave traces in its session (SET, USE, temporary tables).
	Command
)

// starts are the words with which a statement may begin. A list, because what the engine's client does not know as SQL
// it may take as a command of its own (exit, quit, \i FILE, ??).
var starts = map[string]Kind{
	"SELECT": Query, "WITH": Query, "FROM": Query, "(": Query, "SHOW": Query, "DESCRIBE": Query, "DESC": Query,
	"EXPLAIN": Query, "EXISTS": Query, "CHECK": Query,
	"INSERT": Insert,
	"CREATE": Command, "ALTER": Command, "DROP": Command, "RENAME": Command, "EXCHANGE": Command, "TRUNCATE": Command,
	"OPTIMIZE": Command, "SYSTEM": Command, "SET": Command, "USE": Command, "KILL": Command, "ATTACH": Command,
	"DETACH": Command, "UNDROP": Command, "GRANT": Command, "REVOKE": Command, "DELETE": Command, "UPDATE": Command,
	"REPLACE": Command, "REFRESH": Command,
}

// Statement is one statement, taken apart as far as running it safely needs. All texts are without comments.
type Statement struct {
	Kind    Kind
	Keyword string // the first word, in upper case

	// Text is the whole statement; for an Insert, up to its data.
	Text string
	// Head is the statement before its FORMAT clause; for an Insert, before SETTINGS as well.
	Head string
	// Settings is an Insert's SETTINGS clause, or what follows FORMAT in a Query; "" where there is none.
	Settings string
	// Format is the name after FORMAT ("Values" for VALUES), "" where there is none.
	Format string
	// DataAt is where an Insert's data starts in the source.
	DataAt int

	tokens []token
}

// Parse reads one statement. Its errors are of type *Error. The source may be the beginning of a longer text: data of an
// Insert is not looked at.
func Parse(source string) (*Statement, error) {
	source, bom := strings.CutPrefix(source, "\ufeff")
	l := &lexer{src: source}
	first, err := l.next()
	if err != nil {
		return nil, err
	}
	s := &Statement{Keyword: strings.ToUpper(first.text), tokens: []token{first}}
	s.Kind = starts[s.Keyword]
	switch {
	case first.kind == endOfText:
		return nil, refuse(CodeSyntax, "Empty query")
	case s.Kind == 0 || first.kind != word && first.kind != symbol:
		return nil, refuse(CodeSyntax, "Syntax error: %.40q does not begin a statement that this engine runs", first.text)
	case s.Kind == Insert:
		err = s.parseInsert(l)
	default:
		err = s.readToEnd(l)
	}
	if err != nil {
		return nil, err
	}
	if s.Kind == Query {
		s.splitFormat()
	}
	s.dropWithoutWaiting()
	if s.Kind != Insert {
		s.Text = s.join(0, len(s.tokens))
	}
	if bom {
		s.DataAt += len("\ufeff")
	}
	return s, nil
}

// readToEnd takes all tokens, and sees that the statement is the only one and stays inside the engine.
func (s *Statement) readToEnd(l *lexer) error {
	for {
		t, err := l.next()
		if err != nil {
			return err
		}
		switch {
		case t.depth != 0 && (t.kind == endOfText || t.is(";")):
			return refuse(CodeSyntax, "Syntax error: %d brackets are not closed", t.depth)
		case t.kind == endOfText:
			return nil
		case t.is(";"):
			return endsHere(l)
		}
		if err := s.add(t); err != nil {
			return err
		}
	}
}

// endsHere allows only blanks, comments and semicolons after the end of a statement.
func endsHere(l *lexer) error {
	for {
		t, err := l.next()
		if err != nil {
			return err
		}
		if t.kind == endOfText {
			return nil
		}
		if !t.is(";") {
			return refuse(CodeSyntax, "Syntax error (Multi-statements are not allowed): failed at position %d (%.40s): send one statement a request", t.start+1, t.text)
		}
	}
}

// add appends a token after judging it with the one before.
func (s *Statement) add(t token) error {
	previous := s.tokens[len(s.tokens)-1]
	switch {
	case previous.is("INTO") && t.is("OUTFILE"), previous.is("FROM") && t.is("INFILE"):
		return refuse(CodeNotImplemented, "%s %s is not allowed: send and receive data in the HTTP request",
			strings.ToUpper(previous.text), strings.ToUpper(t.text))
	case previous.is("PARALLEL") && t.is("WITH"):
		return refuse(CodeNotImplemented, "PARALLEL WITH is not allowed: send one statement a request")
	case previous.is("INSERT") && t.is("INTO") && len(s.tokens) > 1,
		t.is("INSERT") && t.depth == 0 && s.Keyword != "GRANT" && s.Keyword != "REVOKE":
		return refuse(CodeNotImplemented, "INSERT must be the first word of its statement (a column of that name needs quotes)")
	}
	s.tokens = append(s.tokens, t)
	return nil
}

// dropWithoutWaiting takes SYNC off a DROP: the embedded engine would wait for ever for a cleaner that it does not run.
// The name is free at once all the same; the files go some minutes later.
func (s *Statement) dropWithoutWaiting() {
	last := len(s.tokens) - 1
	if s.Keyword == "DROP" && last > 1 && s.tokens[last].depth == 0 && s.tokens[last].is("SYNC") {
		s.tokens = s.tokens[:last]
	}
}

// splitFormat finds a FORMAT clause at the end of a query: FORMAT name [SETTINGS …].
func (s *Statement) splitFormat() {
	s.Head = s.join(0, len(s.tokens))
	for i := len(s.tokens) - 2; i > 0; i-- {
		t, name := s.tokens[i], s.tokens[i+1]
		if t.depth != 0 || !t.is("FORMAT") || name.kind != word {
			continue
		}
		last := i+2 == len(s.tokens)
		if last || s.tokens[i+2].is("SETTINGS") {
			s.Head, s.Format, s.Settings = s.join(0, i), name.text, s.join(i+2, len(s.tokens))
		}
		return
	}
}

// join gives the source of the tokens [from, to), with one space for each comment.
func (s *Statement) join(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		if i > from && s.tokens[i].start > s.tokens[i-1].end {
			b.WriteByte(' ')
		}
		b.WriteString(s.tokens[i].text)
	}
	return b.String()
}
