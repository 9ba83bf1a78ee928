package open311

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"groundwork"
)

// format is one of the two forms of every document.
type format struct {
	ending, contentType string
	encode              func(any) ([]byte, error)
}

var (
	asJSON = format{".json", "application/json; charset=utf-8", func(document any) ([]byte, error) {
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(document)
		return out.Bytes(), err
	}}
	asXML = format{".xml", "text/xml; charset=utf-8", func(document any) ([]byte, error) {
		body, err := xml.Marshal(document)
		return append([]byte(xml.Header), append(body, '\n')...), err
	}}
)

func (f format) write(w http.ResponseWriter, status int, document any) {
	body, err := f.encode(document)
	if err != nil { // documents are of our own types, all of which have both forms
		panic("open311: " + err.Error())
	}
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// list is an element with items in XML and an array in JSON, as the Spark convention of the specification has it.
type list[T any] struct {
	XMLName xml.Name
	Items   []T // named by the XMLName of T
}

func listOf[T any](name string, items []T) list[T] {
	return list[T]{XMLName: xml.Name{Local: name}, Items: items}
}

// MarshalJSON leaves the container out.
func (l list[T]) MarshalJSON() ([]byte, error) {
	if l.Items == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(l.Items)
}

// text is null in JSON and an empty element in XML where it is empty.
type text string

// MarshalJSON writes null for an empty text.
func (t text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// instant is a time with its offset, or empty.
type instant struct{ *time.Time }

func at(t time.Time) instant { return instant{&t} }

// MarshalText writes the time as the W3C note has it, in the zone in which days are counted here.
func (t instant) MarshalText() ([]byte, error) {
	if t.Time == nil {
		return nil, nil
	}
	return []byte(t.In(groundwork.China).Format(time.RFC3339)), nil
}

// MarshalJSON writes null where there is no time.
func (t instant) MarshalJSON() ([]byte, error) {
	body, _ := t.MarshalText()
	return text(body).MarshalJSON()
}

// degrees is a coordinate, or empty.
type degrees struct{ value *float64 }

// MarshalText writes the number.
func (d degrees) MarshalText() ([]byte, error) {
	if d.value == nil {
		return nil, nil
	}
	return strconv.AppendFloat(nil, *d.value, 'f', -1, 64), nil
}

// MarshalJSON writes the number, or null.
func (d degrees) MarshalJSON() ([]byte, error) { return json.Marshal(d.value) }

type fault struct {
	XMLName     xml.Name `xml:"error" json:"-"`
	Code        int      `xml:"code" json:"code"`
	Description string   `xml:"description" json:"description"`
}

func faults(status int, description string) list[fault] {
	return listOf("errors", []fault{{Code: status, Description: description}})
}

var statuses = map[groundwork.Code]int{
	groundwork.CodeInvalid:     http.StatusBadRequest,
	groundwork.CodeNotFound:    http.StatusNotFound,
	groundwork.CodeForbidden:   http.StatusForbidden,
	groundwork.CodeConflict:    http.StatusConflict,
	groundwork.CodeRateLimited: http.StatusTooManyRequests, groundwork.CodeUnavailable: http.StatusServiceUnavailable,
}

// refuse answers with the error in the requested format. What the caller cannot mend is logged under an id and not told.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, out format, err error) {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		out.write(w, http.StatusRequestEntityTooLarge, faults(http.StatusRequestEntityTooLarge, "the body has more than "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes; send less"))
		return
	}
	if known, ok := errors.AsType[*groundwork.Error](err); ok {
		if status := statuses[known.Code]; status != 0 {
			if known.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(known.RetryAfter.Seconds()))))
			}
			out.write(w, status, faults(status, known.Message))
			return
		}
	}
	id := uuid.NewString()
	a.Logger.ErrorContext(r.Context(), "Open311 request failed", slog.String("id", id), slog.String("path", r.URL.Path), slog.Any("err", err))
	out.write(w, http.StatusInternalServerError, faults(http.StatusInternalServerError, "something failed here; tell the operator the id "+id))
}
