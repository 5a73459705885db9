package settings

import (
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Logger returns the program's logger: one object a line, times in UTC, every
// entry written (no sampling), to errs, which is standard error, or added to a file
// that only its owner may read. The file stays open as long as the program runs.
func Logger(l Logging, errs io.Writer) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(l.Level)
	if err != nil {
		return nil, fmt.Errorf("logging.level: %w", err)
	}
	if l.File != "" {
		if errs, err = os.OpenFile(l.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
			return nil, fmt.Errorf("open the file of logging.file: %w", err)
		}
	}
	return zap.New(zapcore.NewCore(encoder(l.Format), zapcore.Lock(zapcore.AddSync(errs)), level)), nil
}

func encoder(format string) zapcore.Encoder {
	c := zap.NewProductionEncoderConfig()
	c.EncodeTime = func(t time.Time, e zapcore.PrimitiveArrayEncoder) {
		e.AppendString(t.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	c.TimeKey, c.MessageKey = "time", "message"
	if format == "console" {
		return zapcore.NewConsoleEncoder(c)
	}
	return zapcore.NewJSONEncoder(c)
}
