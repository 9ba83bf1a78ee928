package sqlguard

import "strings"

// parseInsert reads INSERT [INTO] [TABLE] [FUNCTION] name [(columns)] [SETTINGS …] and stops where data begins, or
// reads on where the rows come from a query.
func (s *Statement) parseInsert(l *lexer) error {
	if err := s.readTarget(l); err != nil {
		return err
	}
	settingsAt := -1
	for {
		t, err := l.next()
		if err != nil {
			return err
		}
		switch {
		case t.kind == endOfText || t.is(";"):
			return refuse(CodeSyntax, "Syntax error: INSERT has neither FORMAT, VALUES nor SELECT")
		case t.depth == 0 && (t.is("SELECT") || t.is("WITH")):
			s.Kind = Command
			return s.readSelect(l, t)
		case t.depth == 0 && t.is("SETTINGS"):
			settingsAt = len(s.tokens)
		case t.depth == 0 && t.is("VALUES"):
			s.dataFrom(l, "Values", settingsAt)
			return nil
		case t.depth == 0 && t.is("FORMAT"):
			return s.readFormat(l, settingsAt)
		}
		if err := s.add(t); err != nil {
			return err
		}
	}
}

// readTarget takes the words up to and including the first token of the table's name, which may look like a keyword.
func (s *Statement) readTarget(l *lexer) error {
	for {
		t, err := l.next()
		if err != nil {
			return err
		}
		if t.kind == endOfText || t.is(";") {
			return refuse(CodeSyntax, "Syntax error: INSERT names no table")
		}
		if err := s.add(t); err != nil {
			return err
		}
		if !t.is("INTO") && !t.is("TABLE") && !t.is("FUNCTION") {
			return nil
		}
	}
}

func (s *Statement) readFormat(l *lexer, settingsAt int) error {
	name, err := l.next()
	if err != nil {
		return err
	}
	if name.kind != word {
		return refuse(CodeSyntax, "Syntax error: FORMAT names no format")
	}
	s.dataFrom(l, name.text, settingsAt)
	line := l.src[l.pos:]
	if n := strings.IndexByte(line, '\n'); n >= 0 {
		line = line[:n]
	}
	if fields := strings.Fields(line); len(fields) > 0 && strings.EqualFold(fields[0], "SETTINGS") {
		return refuse(CodeSyntax, "Syntax error: SETTINGS of an INSERT belong before FORMAT")
	}
	s.skipLineEnd(l)
	return nil
}

// dataFrom ends the statement at the lexer's position: what follows is data.
func (s *Statement) dataFrom(l *lexer, format string, settingsAt int) {
	if settingsAt < 0 {
		settingsAt = len(s.tokens)
	}
	s.Head, s.Settings, s.Format = s.join(0, settingsAt), s.join(settingsAt, len(s.tokens)), format
	s.Text, s.DataAt = s.join(0, len(s.tokens)), l.pos
}

// skipLineEnd passes over blanks and one line end after the name of the format, as ClickHouse does; or over one
// semicolon that ends a statement without data.
func (s *Statement) skipLineEnd(l *lexer) {
	rest := strings.TrimLeft(l.src[l.pos:], " \t\f\v")
	if strings.TrimSpace(rest) == ";" {
		rest = ""
	}
	rest = strings.TrimPrefix(rest, "\r")
	rest = strings.TrimPrefix(rest, "\n")
	s.DataAt = len(l.src) - len(rest)
}

// readSelect takes the rest of INSERT … SELECT. A FORMAT in it would announce inline data, for input().
func (s *Statement) readSelect(l *lexer, first token) error {
	if err := s.add(first); err != nil {
		return err
	}
	if err := s.readToEnd(l); err != nil {
		return err
	}
	for i := 1; i+1 < len(s.tokens); i++ {
		if s.tokens[i].depth == 0 && s.tokens[i].is("FORMAT") && s.tokens[i+1].kind == word {
			return refuse(CodeNotImplemented, "INSERT … SELECT … FORMAT is not supported by the embedded engine: insert into a table and select from it")
		}
	}
	return nil
}
