package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
)

// mutant is one change of a file: the bytes from..to become text.
type mutant struct {
	file     string
	line     int
	source   []byte
	from, to int
	text     string
}

func (m mutant) apply() []byte {
	changed := append([]byte{}, m.source[:m.from]...)
	return append(append(changed, m.text...), m.source[m.to:]...)
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d: %q became %q", m.file, m.line, m.source[m.from:m.to], m.text)
}

// finder walks a file and gathers its mutants.
type finder struct {
	name    string
	source  []byte
	files   *token.FileSet
	mutants []mutant
}

func mutantsOf(name string) ([]mutant, error) {
	source, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f := &finder{name: name, source: source, files: token.NewFileSet()}
	tree, err := parser.ParseFile(f.files, name, source, 0)
	if err != nil {
		return nil, err
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		f.visit(n)
		return true
	})
	return f.mutants, nil
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
	list, isList := kv.Value.(*ast.CompositeLit)
	switch {
	case key.Name == "When":
		f.replace(kv.Value, "nil")
	case isList && (key.Name == "guards" || key.Name == "Guards"):
		for n, guard := range list.Elts {
			to := guard.End()
			if n+1 < len(list.Elts) {
				to = list.Elts[n+1].Pos()
			}
			f.add(guard.Pos(), to, "")
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

func (f *finder) replace(e ast.Expr, text string) { f.add(e.Pos(), e.End(), text) }

func (f *finder) add(from, to token.Pos, text string) {
	f.mutants = append(f.mutants, mutant{f.name, f.files.Position(from).Line, f.source, f.offset(from), f.offset(to), text})
}

func (f *finder) offset(p token.Pos) int { return f.files.Position(p).Offset }
