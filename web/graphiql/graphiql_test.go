package graphiql

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func get(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w
}

func TestMissingBundleNamesTheCommand(t *testing.T) {
	t.Parallel()
	page, err := files.ReadFile("dist-missing.html")
	require.NoError(t, err)
	h := handler(fstest.MapFS{"dist-missing.html": {Data: page}}, "/graphql")

	w := get(t, h, http.MethodGet, "/")
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Contains(t, w.Body.String(), "make graphiql build")
	require.Contains(t, w.Body.String(), `href="/graphql"`)
	require.Equal(t, http.StatusNotFound, get(t, h, http.MethodGet, "/assets/main.js").Code)
}

func TestBundleIsServedWithoutAnyOtherHost(t *testing.T) {
	t.Parallel()
	if !Built() {
		t.Skip("web/graphiql/dist is not built: run `make graphiql`")
	}
	h := Handler("/some/graphql")
	w := get(t, h, http.MethodGet, "/")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), `data-endpoint="/some/graphql"`)
	require.NotRegexp(t, `https?://`, w.Body.String())
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	require.NotContains(t, w.Header().Get("Content-Security-Policy"), "unsafe-eval")

	// All that the page names is there, and so are the workers, which the editor asks for by name.
	wanted := []string{"assets/editor.worker.js", "assets/json.worker.js", "assets/graphql.worker.js"}
	for _, m := range regexp.MustCompile(`(?:src|href)="(assets/[^"]+)"`).FindAllStringSubmatch(w.Body.String(), -1) {
		wanted = append(wanted, m[1])
	}
	require.Len(t, wanted, 6)
	for _, path := range wanted {
		require.Equal(t, http.StatusOK, get(t, h, http.MethodGet, "/"+path).Code, path)
	}
	require.Contains(t, get(t, h, http.MethodGet, "/assets/main.js").Header().Get("Content-Type"), "javascript")
}

func TestOnlyItsOwnFilesByGet(t *testing.T) {
	t.Parallel()
	h := Handler("/graphql")
	require.Equal(t, http.StatusMethodNotAllowed, get(t, h, http.MethodPost, "/").Code)
	for _, path := range []string{"/assets/", "/graphiql.go", "/../graphiql.go", "/dist-missing.html"} {
		require.NotEqual(t, http.StatusOK, get(t, h, http.MethodGet, path).Code, path)
	}
}
