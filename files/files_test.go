package files_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/files"
	"groundwork/internal/embedded/embeddedtest"
	"groundwork/postgres"
	"groundwork/postgres/pgtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

const limit = 2000

// cabinet is the handler over a real system of record and a directory.
type cabinet struct {
	t   *testing.T
	db  *postgres.DB
	dir string
	h   http.Handler
}

func open(t *testing.T) *cabinet {
	t.Helper()
	c := &cabinet{t: t, db: pgtest.NewDB(t), dir: filepath.Join(t.TempDir(), "files")}
	c.h = files.NewHandler(files.Deps{Store: c.db, Blobs: files.Disk{Dir: c.dir}, Logger: slog.New(slog.DiscardHandler), Limit: limit})
	return c
}

func (c *cabinet) ask(by groundwork.Actor, method, path, mediaType, body string) *httptest.ResponseRecorder {
	c.t.Helper()
	r := httptest.NewRequestWithContext(groundwork.WithActor(c.t.Context(), by), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, r)
	return w
}

// noPoints is a meter that admits nothing.
type noPoints struct{ groundwork.Unlimited }

func (noPoints) Admit(context.Context, groundwork.Charge) error {
	return &groundwork.Error{Code: groundwork.CodeRateLimited, Message: "too much", RetryAfter: time.Second}
}

// Checklist row 27.
func TestRow27RateLimits(t *testing.T) {
	t.Parallel()
	c := &cabinet{t: t, h: files.NewHandler(files.Deps{Logger: slog.New(slog.DiscardHandler), Meter: noPoints{}})} // nothing is read and nothing kept
	for _, w := range []*httptest.ResponseRecorder{
		c.ask(as(groundwork.RoleHandler), http.MethodPut, "/", "image/png", "x"), c.ask(as(groundwork.RoleHandler), http.MethodGet, "/abc", "", ""),
	} {
		require.Equal(t, http.StatusTooManyRequests, w.Code)
		require.Equal(t, "1", w.Header().Get("Retry-After"))
		require.JSONEq(t, `{"code": "RATE_LIMITED", "message": "too much"}`, w.Body.String())
	}
}

func as(role groundwork.Role) groundwork.Actor {
	return groundwork.Actor{ID: "the-" + string(role), Role: role}
}

const jpeg = "\xff\xd8\xff\xe0\x00\x10JFIF a hole in the road"

func TestPutAndGet(t *testing.T) {
	t.Parallel()
	c := open(t)
	sum := sha256.Sum256([]byte(jpeg))
	want := hex.EncodeToString(sum[:])
	for range 2 { // a phone retries
		w := c.ask(as(groundwork.RoleHandler), http.MethodPut, "/", "image/jpeg", jpeg)
		require.Equal(t, http.StatusCreated, w.Code, "%s", w.Body)
		var said map[string]any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &said))
		require.Equal(t, map[string]any{"sha256": want, "size": float64(len(jpeg)), "mediaType": "image/jpeg", "reference": "sha256:" + want}, said)
	}
	w := c.ask(as(groundwork.RoleSupervisor), http.MethodGet, "/"+want, "", "")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, jpeg, w.Body.String())
	require.Equal(t, "image/jpeg", w.Header().Get("Content-Type"))
	require.Equal(t, "attachment", w.Header().Get("Content-Disposition"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "sandbox")
	require.Equal(t, http.StatusOK, c.ask(as(groundwork.RoleSupervisor), http.MethodGet, "/sha256:"+want, "", "").Code, "as a claim refers to it")

	for name, by := range map[string]groundwork.Actor{"analyst": as(groundwork.RoleAnalyst), "anonymous": groundwork.Anonymous, "another citizen": as(groundwork.RoleCitizen)} {
		require.Equal(t, http.StatusNotFound, c.ask(by, http.MethodGet, "/"+want, "", "").Code, name)
	}
	require.Equal(t, http.StatusCreated, c.ask(as(groundwork.RoleCitizen), http.MethodPut, "/", "image/jpeg", jpeg).Code)
	require.Equal(t, http.StatusOK, c.ask(as(groundwork.RoleCitizen), http.MethodGet, "/"+want, "", "").Code, "what one uploaded one may read")
	left, err := filepath.Glob(filepath.Join(c.dir, "incoming-*"))
	require.NoError(t, err)
	require.Empty(t, left, "nothing half received stays")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	c := open(t)
	handler := as(groundwork.RoleHandler)
	for name, r := range map[string]struct {
		by                 groundwork.Actor
		method, path       string
		mediaType, content string
		status             int
		says               string
	}{
		"anonymous":       {groundwork.Anonymous, http.MethodPut, "/", "image/jpeg", jpeg, http.StatusForbidden, "account"},
		"analyst":         {as(groundwork.RoleAnalyst), http.MethodPut, "/", "image/jpeg", jpeg, http.StatusForbidden, "ANALYST"},
		"a page":          {handler, http.MethodPut, "/", "text/html", "<html>", http.StatusBadRequest, "no evidence"},
		"a page as photo": {handler, http.MethodPut, "/", "image/jpeg", "<html><script>", http.StatusBadRequest, "looks like text/html"},
		"no type":         {handler, http.MethodPut, "/", "", jpeg, http.StatusBadRequest, "Content-Type"},
		"nothing":         {handler, http.MethodPut, "/", "image/jpeg", "", http.StatusBadRequest, "empty"},
		"too much":        {handler, http.MethodPut, "/", "image/jpeg", jpeg + strings.Repeat("x", limit), http.StatusBadRequest, "2000 bytes"},
		"a form":          {handler, http.MethodPost, "/", "multipart/form-data", jpeg, http.StatusMethodNotAllowed, "Method Not Allowed"},
		"unknown":         {handler, http.MethodGet, "/" + strings.Repeat("a", 64), "", "", http.StatusNotFound, "no such file"},
		"no hash":         {handler, http.MethodGet, "/passwd", "", "", http.StatusNotFound, "no such file"},
	} {
		w := c.ask(r.by, r.method, r.path, r.mediaType, r.content)
		require.Equal(t, r.status, w.Code, "%s: %s", name, w.Body)
		require.Contains(t, w.Body.String(), r.says, name)
	}
}

// A claim may refer only to files that are there.
func TestClaimsReferToFiles(t *testing.T) {
	t.Parallel()
	c := open(t)
	f := groundwork.EvidenceFile{SHA256: strings.Repeat("a", 64), Size: 1, MediaType: "image/png"}
	_, _, err := c.db.RecordEvidence(t.Context(), as(groundwork.RoleAnalyst), f)
	require.Equal(t, groundwork.CodeForbidden, groundwork.CodeOf(err))
	made, receipt, err := c.db.RecordEvidence(t.Context(), as(groundwork.RoleHandler), f)
	require.NoError(t, err)
	require.NotZero(t, receipt.LSN)
	require.Equal(t, "sha256:"+f.SHA256, made.Reference())
}

// What is lost is told, not hidden as if it had never been.
func TestNotedButGone(t *testing.T) {
	t.Parallel()
	c := open(t)
	_, _, err := c.db.RecordEvidence(t.Context(), as(groundwork.RoleHandler), groundwork.EvidenceFile{SHA256: strings.Repeat("b", 64), Size: 1, MediaType: "image/png"})
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, c.ask(as(groundwork.RoleHandler), http.MethodGet, "/"+strings.Repeat("b", 64), "", "").Code)
}

func TestDiskDeletes(t *testing.T) {
	t.Parallel()
	d := files.Disk{Dir: filepath.Join(t.TempDir(), "files")}
	sum, _, err := d.Put(t.Context(), strings.NewReader("a hole in the road"), limit)
	require.NoError(t, err)
	for range 2 { // what is gone is gone
		require.NoError(t, d.Delete(t.Context(), sum))
		_, err = d.Open(t.Context(), sum)
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	require.ErrorContains(t, d.Delete(t.Context(), "../passwd"), "no hash")
	require.ErrorIs(t, files.Disk{Dir: filepath.Join(d.Dir, "elsewhere")}.Delete(t.Context(), sum), fs.ErrNotExist, "a directory that is not there is not one where all is deleted")
}

// late is a store in which retention deletes the content that has just come, before it is noted.
type late struct {
	*postgres.DB
	files.Disk
	times int
}

func (l *late) RecordEvidence(ctx context.Context, by groundwork.Actor, f groundwork.EvidenceFile) (*groundwork.EvidenceFile, groundwork.Receipt, error) {
	if l.times++; l.times == 1 {
		if err := l.Delete(ctx, f.SHA256); err != nil {
			return nil, groundwork.Receipt{}, err
		}
	}
	return l.DB.RecordEvidence(ctx, by, f)
}

func TestContentThatIsBeingDeletedIsAskedForAgain(t *testing.T) {
	t.Parallel()
	c := open(t)
	disk := files.Disk{Dir: c.dir}
	c.h = files.NewHandler(files.Deps{Store: &late{DB: c.db, Disk: disk}, Blobs: disk, Logger: slog.New(slog.DiscardHandler), Limit: limit})
	w := c.ask(as(groundwork.RoleHandler), http.MethodPut, "/", "image/jpeg", jpeg)
	require.Equal(t, http.StatusServiceUnavailable, w.Code, "%s", w.Body)
	require.Contains(t, w.Body.String(), "send it again")
	require.Equal(t, http.StatusCreated, c.ask(as(groundwork.RoleHandler), http.MethodPut, "/", "image/jpeg", jpeg).Code)
	sum := sha256.Sum256([]byte(jpeg))
	require.Equal(t, http.StatusOK, c.ask(as(groundwork.RoleHandler), http.MethodGet, "/"+hex.EncodeToString(sum[:]), "", "").Code)
}

func TestDisk(t *testing.T) {
	t.Parallel()
	d := files.Disk{Dir: filepath.Join(t.TempDir(), "a", "b")}
	broken := errors.New("the line went down")
	_, _, err := d.Put(t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), limit)
	require.ErrorIs(t, err, broken)
	_, _, err = d.Put(t.Context(), bytes.NewReader(make([]byte, limit+1)), limit)
	require.ErrorIs(t, err, files.ErrTooLarge)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = d.Put(gone, strings.NewReader("x"), limit)
	require.ErrorIs(t, err, context.Canceled)
	entries, err := os.ReadDir(d.Dir)
	require.NoError(t, err)
	require.Empty(t, entries, "what was not received whole is not there")

	var all sync.WaitGroup
	for range 8 { // the same content at once
		all.Go(func() {
			sum, size, err := d.Put(t.Context(), bytes.NewReader(make([]byte, limit)), limit)
			require.NoError(t, err)
			require.EqualValues(t, limit, size)
			f, err := d.Open(t.Context(), sum)
			require.NoError(t, err)
			defer f.Close()
			content, err := io.ReadAll(f)
			require.NoError(t, err)
			require.Len(t, content, limit)
		})
	}
	all.Wait()
	for _, name := range []string{"", "ab", "../../../etc/passwd", strings.Repeat("c", 64)} {
		_, err := d.Open(t.Context(), name)
		require.ErrorIs(t, err, fs.ErrNotExist, "%q", name)
	}
}
