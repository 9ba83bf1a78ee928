// Package graphiql serves GraphiQL, the editor and browser of a GraphQL API, from the binary itself: no request leaves the
// machine. `make graphiql` bundles it from npm into dist/, which is not committed; a binary built without it says so.
package graphiql

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

// The pattern matches the committed dist-missing.html always, and dist/ where it has been built.
//
//go:embed dist*
var files embed.FS

// The page runs its own bundle and talks to its own origin; the editor writes its styles into the page.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Built tells whether this binary holds GraphiQL.
func Built() bool {
	_, err := fs.Stat(files, "dist/index.html")
	return err == nil
}

// Handler serves GraphiQL for the GraphQL API at endpoint, a path of the same origin such as "/graphql". Mount it under a path
// that ends in a slash, with that path stripped but for the slash:
//
//	mux.Handle("/graphiql/", http.StripPrefix("/graphiql", graphiql.Handler("/graphql")))
func Handler(endpoint string) http.Handler {
	return handler(files, endpoint)
}

func handler(files fs.FS, endpoint string) http.Handler {
	status, name := http.StatusOK, "dist/index.html"
	if _, err := fs.Stat(files, name); err != nil {
		status, name = http.StatusNotFound, "dist-missing.html"
	}
	page := render(files, name, endpoint)
	dist, _ := fs.Sub(files, "dist") // the name is valid; an absent folder answers 404
	assets := http.FileServerFS(dist)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "GraphiQL is a page: use GET", http.StatusMethodNotAllowed)
		case r.URL.Path == "/" || r.URL.Path == "":
			h.Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			_, _ = w.Write(page) // a browser that has gone is no fault of ours
		case strings.HasSuffix(r.URL.Path, "/"): // no listings of folders
			http.NotFound(w, r)
		default:
			assets.ServeHTTP(w, r)
		}
	})
}

// render fills the endpoint into a page. The pages are part of the program, so a fault in one is a fault of the program.
func render(files fs.FS, name, endpoint string) []byte {
	var page bytes.Buffer
	if err := template.Must(template.ParseFS(files, name)).Execute(&page, endpoint); err != nil {
		panic(fmt.Errorf("render %s: %w", name, err))
	}
	return page.Bytes()
}
