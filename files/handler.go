// Package files takes in and hands out evidence: photos, scans and recordings that claims refer to by the hash of their content.
//
//	PUT /files              the content as the body, its media type as Content-Type; answers {"sha256", "size", "mediaType", "reference"}
//	GET /files/{sha256}     the content, for those who may read it
//
// A plain PUT rather than GraphQL's multipart form: a page of another site cannot send a PUT without asking first (CORS), whereas it can
// post a form. Sent again it changes nothing, so a phone may retry.
package files

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"groundwork"
)

// Deps are what the handler works with. Who asks stands in the context of the request (groundwork.WithActor).
type Deps struct {
	Store  groundwork.EvidenceStore
	Blobs  Blobs
	Logger *slog.Logger
	Limit  int64            // bytes of a file, 0 = 20 MiB
	Meter  groundwork.Meter // counts what is asked for; nil: nobody does
}

// The costs of taking in and handing out a file, in the points of a GraphQL document that does as much.
const (
	putPoints = 200
	getPoints = 50
)

const defaultLimit = 20 << 20

// NewHandler serves / and /{sha256} below where it is mounted.
func NewHandler(d Deps) http.Handler {
	if d.Limit == 0 {
		d.Limit = defaultLimit
	}
	if d.Meter == nil {
		d.Meter = groundwork.Unlimited{}
	}
	h := handler{d}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /{$}", h.metered(putPoints, h.put))
	mux.HandleFunc("GET /{sha256}", h.metered(getPoints, h.get))
	return mux
}

type handler struct{ Deps }

// metered answers a request if whoever asks has so many points left.
func (h handler) metered(points int, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h.Meter.Admit(r.Context(), groundwork.Charge{Points: points}); err != nil {
			h.refuse(w, r, err)
			return
		}
		next(w, r)
	}
}

// put keeps the content first and then notes that it is there: what is noted can be opened.
func (h handler) put(w http.ResponseWriter, r *http.Request) {
	by := groundwork.ActorFrom(r.Context())
	if !groundwork.MayUpload(by) {
		h.refuse(w, r, groundwork.Errorf(groundwork.CodeForbidden, "role %s brings no evidence; act with an account that does", by.Role))
		return
	}
	file, err := h.receive(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	made, _, err := h.Store.RecordEvidence(r.Context(), by, file)
	if err == nil {
		err = h.isThere(r.Context(), file.SHA256)
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	answer(w, http.StatusCreated, map[string]any{"sha256": made.SHA256, "size": made.Size, "mediaType": made.MediaType, "reference": made.Reference()})
}

// isThere looks again: retention may have deleted the same content, which was due, between its coming and its being noted. From then on nobody does.
func (h handler) isThere(ctx context.Context, sum string) error {
	content, err := h.Blobs.Open(ctx, sum)
	if errors.Is(err, fs.ErrNotExist) {
		return groundwork.Errorf(groundwork.CodeUnavailable, "an earlier copy of the file was being deleted just now; send it again")
	}
	if err != nil {
		return err
	}
	return content.Close()
}

// sniffed is how many bytes tell what a file is.
const sniffed = 512

// receive reads the body. What the file is must be what it is said to be: nothing that runs goes by the name of a photo.
func (h handler) receive(r *http.Request) (f groundwork.EvidenceFile, err error) {
	f.MediaType, _, err = mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return f, groundwork.Invalid("mediaType", "give the media type of the file as Content-Type")
	}
	f.Size = 1 // not known yet
	if err := f.Validate(); err != nil {
		return f, err
	}
	head := make([]byte, sniffed)
	n, err := io.ReadFull(r.Body, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return f, err
	}
	f.Size = int64(n) // at least: a file without content never reaches a store
	if err := f.Validate(); err != nil {
		return f, err
	}
	if found, _, _ := mime.ParseMediaType(http.DetectContentType(head[:n])); found != f.MediaType {
		return f, groundwork.Invalid("mediaType", "the file is said to be %s and looks like %s; give its own type", f.MediaType, found)
	}
	f.SHA256, f.Size, err = h.Blobs.Put(r.Context(), io.MultiReader(bytes.NewReader(head[:n]), r.Body), h.Limit)
	if errors.Is(err, ErrTooLarge) {
		return f, groundwork.Invalid("file", "the file has more than %d bytes; give a smaller one", h.Limit)
	}
	return f, err
}

// get hands out a file. A browser shows none of it as a page of ours: it is saved, not run.
func (h handler) get(w http.ResponseWriter, r *http.Request) {
	sum := strings.TrimPrefix(r.PathValue("sha256"), "sha256:")
	file, err := h.Store.EvidenceFile(r.Context(), groundwork.ActorFrom(r.Context()), sum)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	var content io.ReadSeekCloser
	if file != nil {
		content, err = h.Blobs.Open(r.Context(), file.SHA256)
	}
	if file == nil || errors.Is(err, fs.ErrNotExist) {
		h.refuse(w, r, groundwork.Errorf(groundwork.CodeNotFound, "there is no such file that you may read"))
		return
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	defer content.Close()
	header := w.Header()
	header.Set("Content-Type", file.MediaType)
	header.Set("Content-Disposition", "attachment")
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "private, no-store")
	header.Set("ETag", `"`+file.SHA256+`"`)
	http.ServeContent(w, r, "", time.Time{}, content)
}

// statuses are the HTTP statuses of refusals.
var statuses = map[groundwork.Code]int{
	groundwork.CodeInvalid: http.StatusBadRequest, groundwork.CodeForbidden: http.StatusForbidden, groundwork.CodeNotFound: http.StatusNotFound,
	groundwork.CodeUnavailable: http.StatusServiceUnavailable, groundwork.CodeRateLimited: http.StatusTooManyRequests,
}

// refuse tells a refusal, and hides a fault, which stands in the log.
func (h handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	code := groundwork.CodeOf(err)
	status, known := statuses[code]
	message := "internal error"
	if e, ok := errors.AsType[*groundwork.Error](err); ok && known {
		message = e.Message
		if e.Err != nil {
			h.Logger.WarnContext(r.Context(), "evidence", "err", err)
		}
		if e.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
		}
	} else {
		status, code = http.StatusInternalServerError, "INTERNAL"
		if !errors.Is(err, context.Canceled) {
			h.Logger.ErrorContext(r.Context(), "evidence", "err", err)
		}
	}
	answer(w, status, map[string]any{"code": code, "message": message})
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
