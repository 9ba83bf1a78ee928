// Package sqlguard reads SQL texts just far enough to keep the embedded ClickHouse engine safe: it finds where a
// statement ends, whether it carries inline data, which output format it asks for, and refuses what the engine's own
// client would do beyond running one statement: several statements in one text, reading and writing local files,
// client commands such as `exit`.
//
// It fails closed. What it does not know how to read it refuses; comments are cut out, so that the engine sees exactly
// the tokens that were judged here.
package sqlguard

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Codes of ClickHouse for the refusals of this package.
const (
	CodeNotImplemented = 48
	CodeSyntax         = 62
	CodeReadonly       = 164
	CodeTooLarge       = 203
	CodeAccessDenied   = 497
)

// Error is a refusal, with ClickHouse's code for it.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { return e.Message }

func refuse(code int, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

type tokenKind uint8

const (
	endOfText tokenKind = iota
	word                // bare word or number
	quoted              // `name` or "name"
	literal             // 'text' or $tag$text$tag$
	symbol              // one byte
)

type token struct {
	kind       tokenKind
	start, end int // in the source
	text       string
	depth      int // of parentheses, brackets and braces around the token
}

// is tells whether the token is this keyword or symbol. Keywords are given in upper case.
func (t token) is(keyword string) bool {
	switch t.kind {
	case word:
		return strings.EqualFold(t.text, keyword)
	case symbol:
		return t.text == keyword
	default:
		return false
	}
}

// lexer cuts a text into tokens as ClickHouse does. It reads on demand: what follows the start of inline data is no SQL
// and must not be looked at.
type lexer struct {
	src   string
	pos   int
	depth int
}

const symbols = "()[]{},;.+-*/%=!<>?:|@^~"

func (l *lexer) next() (token, error) {
	if err := l.skipBlanks(); err != nil {
		return token{}, err
	}
	start := l.pos
	if start >= len(l.src) {
		return token{kind: endOfText, start: start, end: start, depth: l.depth}, nil
	}
	kind, err := l.scan(l.src[start])
	if err != nil {
		return token{}, err
	}
	t := token{kind: kind, start: start, end: l.pos, text: l.src[start:l.pos], depth: l.depth}
	if kind == symbol {
		switch t.text {
		case "(", "[", "{":
			l.depth++
		case ")", "]", "}":
			if l.depth == 0 {
				return token{}, refuse(CodeSyntax, "Syntax error: unbalanced %q at position %d", t.text, start+1)
			}
			l.depth--
			t.depth = l.depth
		}
	}
	return t, nil
}

func (l *lexer) scan(c byte) (tokenKind, error) {
	switch {
	case isWordByte(c):
		for l.pos < len(l.src) && (isWordByte(l.src[l.pos]) || l.src[l.pos] == '$') {
			l.pos++
		}
		return word, nil
	case c == '\'':
		return literal, l.skipQuoted(c)
	case c == '"', c == '`':
		return quoted, l.skipQuoted(c)
	case c == '$':
		return literal, l.skipHeredoc()
	case strings.IndexByte(symbols, c) >= 0:
		l.pos++
		return symbol, nil
	}
	r, _ := utf8.DecodeRuneInString(l.src[l.pos:])
	return 0, refuse(CodeSyntax, "Syntax error: unexpected character %q at position %d outside of quotes", r, l.pos+1)
}

func (l *lexer) skipQuoted(quote byte) error {
	start := l.pos
	for l.pos++; l.pos < len(l.src); l.pos++ {
		switch l.src[l.pos] {
		case '\\':
			l.pos++
		case quote:
			l.pos++
			if l.pos >= len(l.src) || l.src[l.pos] != quote {
				return nil
			}
		}
	}
	l.pos = len(l.src)
	return refuse(CodeSyntax, "Syntax error: the quote %c opened at position %d is not closed", quote, start+1)
}

// skipHeredoc reads $tag$ … $tag$. A dollar that opens none has no meaning in a statement and is refused.
func (l *lexer) skipHeredoc() error {
	end := l.pos + 1
	for end < len(l.src) && isWordByte(l.src[end]) {
		end++
	}
	if end < len(l.src) && l.src[end] == '$' {
		tag := l.src[l.pos : end+1]
		if close := strings.Index(l.src[end+1:], tag); close >= 0 {
			l.pos = end + 1 + close + len(tag)
			return nil
		}
	}
	return refuse(CodeSyntax, "Syntax error: the $ at position %d opens no closed heredoc", l.pos+1)
}

// skipBlanks passes over white space and comments.
func (l *lexer) skipBlanks() error {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case strings.IndexByte(" \t\n\r\f\v", rest[0]) >= 0:
			l.pos++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "//"),
			strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
			if n := strings.IndexByte(rest, '\n'); n >= 0 {
				l.pos += n
			} else {
				l.pos = len(l.src)
			}
		case strings.HasPrefix(rest, "/*"):
			if err := l.skipBlockComment(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// skipBlockComment passes over a comment; such comments nest, as in standard SQL and in ClickHouse.
func (l *lexer) skipBlockComment() error {
	start, nesting := l.pos, 0
	for l.pos+2 <= len(l.src) {
		switch l.src[l.pos : l.pos+2] {
		case "/*":
			nesting++
			l.pos += 2
		case "*/":
			nesting--
			l.pos += 2
			if nesting == 0 {
				return nil
			}
		default:
			l.pos++
		}
	}
	l.pos = len(l.src)
	return refuse(CodeSyntax, "Syntax error: the comment opened at position %d is not closed", start+1)
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}
