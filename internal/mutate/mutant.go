package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
)

// mutant is one change of a file: what was becomes text.
type mutant struct {
	n         int // by which it is switched on, from 1
	file      string
	line      int
	was, text string
	at        site // what is rewritten so that it can be switched on
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d: %q became %q", m.file, m.line, m.was, m.text)
}

// site is an expression that mutants change.
type site struct {
	from, to int
	kind     siteKind
	element  int // of a list: which one the mutant drops
}

type siteKind int

const (
	condition siteKind = iota // is another condition instead
	list                      // lacks an element
	optional                  // is nil
)

// rules are files whose mutants are numbered through.
type rules struct {
	sources map[string][]byte
	mutants []mutant
}

// read finds the mutants of a file.
func (r *rules) read(name string) error {
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f := &finder{rules: r, name: name, source: source, files: token.NewFileSet()}
	tree, err := parser.ParseFile(f.files, name, source, 0)
	if err != nil {
		return err
	}
	r.sources[name] = source
	ast.Inspect(tree, func(n ast.Node) bool {
		if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.CONST {
			return false // what is constant cannot be switched
		}
		f.visit(n)
		return true
	})
	return nil
}

// finder walks a file and gathers its mutants.
type finder struct {
	rules  *rules
	name   string
	source []byte
	files  *token.FileSet
}

func (f *finder) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		f.guards(n)
	case *ast.IfStmt:
		f.negate(n.Cond)
	case *ast.CaseClause:
		for _, e := range n.List {
			if isCondition(e) {
				f.negate(e)
			}
		}
	case *ast.CallExpr:
		if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "check" && len(n.Args) > 0 {
			f.negate(n.Args[0])
		}
	case *ast.BinaryExpr:
		f.binary(n)
	}
}

// guards drops each guard of a row, and its When.
func (f *finder) guards(kv *ast.KeyValueExpr) {
	key, ok := kv.Key.(*ast.Ident)
	if !ok {
		return
	}
	guards, isList := kv.Value.(*ast.CompositeLit)
	switch {
	case key.Name == "When":
		f.add(kv.Value.Pos(), kv.Value.End(), "nil", f.site(kv.Value, optional, 0))
	case isList && (key.Name == "guards" || key.Name == "Guards"):
		for n, guard := range guards.Elts {
			f.add(guard.Pos(), guard.End(), "", f.site(guards, list, n))
		}
	}
}

// isCondition reports whether a case is a condition of its own rather than a value to be compared.
func isCondition(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return true
	case *ast.UnaryExpr:
		return e.Op == token.NOT
	}
	return false
}

func (f *finder) negate(e ast.Expr) { f.replace(e, "!("+f.text(e)+")") }

// opposite and boundary are what an operator becomes.
var (
	boundary = map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}
	opposite = map[token.Token]string{token.EQL: "!=", token.NEQ: "=="}
)

// binary drops either half of a condition, moves a boundary, or turns an equality round.
func (f *finder) binary(e *ast.BinaryExpr) {
	switch {
	case e.Op == token.LAND || e.Op == token.LOR:
		f.replace(e, f.text(e.X))
		f.replace(e, f.text(e.Y))
	case boundary[e.Op] != "":
		f.replace(e, f.text(e.X)+" "+boundary[e.Op]+" "+f.text(e.Y))
	case opposite[e.Op] != "":
		f.replace(e, f.text(e.X)+" "+opposite[e.Op]+" "+f.text(e.Y))
	}
}

func (f *finder) text(e ast.Expr) string {
	return string(f.source[f.offset(e.Pos()):f.offset(e.End())])
}

func (f *finder) replace(e ast.Expr, text string) {
	f.add(e.Pos(), e.End(), text, f.site(e, condition, 0))
}

func (f *finder) site(e ast.Expr, kind siteKind, element int) site {
	return site{f.offset(e.Pos()), f.offset(e.End()), kind, element}
}

func (f *finder) add(from, to token.Pos, text string, at site) {
	r := f.rules
	r.mutants = append(r.mutants, mutant{n: len(r.mutants) + 1, file: f.name, line: f.files.Position(from).Line,
		was: string(f.source[f.offset(from):f.offset(to)]), text: text, at: at})
}

func (f *finder) offset(p token.Pos) int { return f.files.Position(p).Offset }

// switchable returns a file with all its mutants in it, each of which stays off until its number is chosen (Untch, Offutt and Harrold,
// "Mutation analysis using mutant schemata", 1993): all of them are compiled once.
func (r *rules) switchable(name string) []byte {
	var own []mutant
	for _, m := range r.mutants {
		if m.file == name {
			own = append(own, m)
		}
	}
	// The outer of two sites comes first.
	slices.SortStableFunc(own, func(a, b mutant) int { return cmp.Or(cmp.Compare(a.at.from, b.at.from), cmp.Compare(b.at.to, a.at.to)) })
	source := r.sources[name]
	return render(source, 0, len(source), own)
}

// render writes source[from:to] with the mutants that lie in it, which are sorted.
func render(source []byte, from, to int, inside []mutant) []byte {
	var out []byte
	for len(inside) > 0 {
		at := inside[0].at
		same := prefix(inside, func(m mutant) bool { return m.at.from == at.from && m.at.to == at.to })
		nested := prefix(inside[same:], func(m mutant) bool { return m.at.from < at.to })
		out = append(out, source[from:at.from]...)
		out = append(out, switched(inside[:same], render(source, at.from, at.to, inside[same:same+nested]))...)
		from, inside = at.to, inside[same+nested:]
	}
	return append(out, source[from:to]...)
}

func prefix(all []mutant, has func(mutant) bool) int {
	if n := slices.IndexFunc(all, func(m mutant) bool { return !has(m) }); n >= 0 {
		return n
	}
	return len(all)
}

// switched is an expression that each of the mutants, all of one site, turns into another.
func switched(mutants []mutant, plain []byte) string {
	switch mutants[0].at.kind {
	case list:
		dropped := ""
		for _, m := range mutants {
			dropped += fmt.Sprintf(", [2]int{%d, %d}", m.n, m.at.element)
		}
		return fmt.Sprintf("mutantLacks(%s%s)", plain, dropped)
	case optional:
		return fmt.Sprintf("mutantIsNil(%d, %s)", mutants[0].n, plain)
	}
	text, off := "", ""
	for _, m := range mutants {
		text += fmt.Sprintf("mutantIs(%d) && (%s) || ", m.n, m.text)
		off += fmt.Sprintf("!mutantIs(%d) && ", m.n)
	}
	return fmt.Sprintf("(%s%s(%s))", text, off, plain)
}

// chosenBy is the variable of the environment that names the mutant to be switched on.
const chosenBy = "MUTANT"

// helpers go into the package beside the switchable files.
const helpers = `

import (
	"os"
	"slices"
	"strconv"
)

var mutantChosen = func() int {
	n, _ := strconv.Atoi(os.Getenv("` + chosenBy + `"))
	return n
}()

func mutantIs(n int) bool { return mutantChosen == n }

func mutantIsNil[T any](n int, value T) T {
	if mutantIs(n) {
		var none T
		return none
	}
	return value
}

func mutantLacks[T any](all []T, dropped ...[2]int) []T {
	for _, d := range dropped {
		if mutantIs(d[0]) {
			return slices.Delete(slices.Clone(all), d[1], d[1]+1)
		}
	}
	return all
}
`
