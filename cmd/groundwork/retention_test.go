package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A file of evidence that was kept long enough is counted, then deleted where it lies, once; and again if a backup brings it back.
func TestRetention(t *testing.T) {
	t.Parallel()
	s := up(t, t.TempDir(), "--no-sample")
	const content = "\xff\xd8\xff\xe0\x00\x10JFIF a hole in the road"
	put := func() {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.http+"/files", strings.NewReader(content))
		require.NoError(t, err)
		for name, value := range map[string]string{"Content-Type": "image/jpeg", "Groundwork-Actor": "intake", "Groundwork-Role": "INTAKE"} {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusCreated, response.StatusCode)
	}
	sum := sha256.Sum256([]byte(content))
	name := hex.EncodeToString(sum[:])
	path := filepath.Join(s.dataDir, "files", name[:2], name[2:])
	retention := func(args ...string) string {
		t.Helper()
		out, code := s.run(append([]string{"retention"}, args...)...)
		require.Zero(t, code, out)
		return out
	}
	put()
	s.psql("UPDATE evidence_file SET brought_at = now() - interval '25 months'")
	out := retention()
	require.Regexp(t, `(?m)^KIND +MONTHS KEPT +DUE$`, out)
	require.Regexp(t, `(?m)^EVIDENCE_FILE +24 +1$`, out)
	require.Regexp(t, `(?m)^VISIT_WORDS +24 +0$`, out)
	require.FileExists(t, path)
	require.Contains(t, retention("keep", "EVIDENCE_FILE", "36"), "36 months")
	require.Regexp(t, `(?m)^EVIDENCE_FILE +36 +0$`, retention("--apply"))
	require.FileExists(t, path)
	retention("keep", "EVIDENCE_FILE", "12")
	require.Regexp(t, `(?m)^EVIDENCE_FILE +12 +1$`, retention("--apply"))
	require.NoFileExists(t, path)
	require.Regexp(t, `(?m)^EVIDENCE_FILE +12 +0$`, retention("--apply"))
	require.Contains(t, retention("restored"), "1 files again")
	require.Regexp(t, `(?m)^EVIDENCE_FILE +12 +1$`, retention())

	put() // which ends that
	require.Regexp(t, `(?m)^EVIDENCE_FILE +12 +0$`, retention("--apply"))
	require.FileExists(t, path)
	log, code := s.run("audit", "list", "--noun", "retention.deleted_file")
	require.Zero(t, code, log)
	require.Contains(t, log, "retention.deleted_file")
	require.NoError(t, s.stop())
}
