#include "mount/file-type.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *extension;
	const char *type;
} types[] = {
	{".avif", "image/avif"},
	{".css", "text/css; charset=utf-8"},
	{".gif", "image/gif"},
	{".html", "text/html; charset=utf-8"},
	{".ico", "image/x-icon"},
	{".jpeg", "image/jpeg"},
	{".jpg", "image/jpeg"},
	{".js", "text/javascript; charset=utf-8"},
	{".json", "application/json"},
	{".map", "application/json"},
	{".md", "text/markdown; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".mp3", "audio/mpeg"},
	{".mp4", "video/mp4"},
	{".ogg", "audio/ogg"},
	{".pdf", "application/pdf"},
	{".png", "image/png"},
	{".svg", "image/svg+xml"},
	{".ts", "text/plain; charset=utf-8"},
	{".txt", "text/plain; charset=utf-8"},
	{".wasm", "application/wasm"},
	{".wav", "audio/wav"},
	{".webm", "video/webm"},
	{".webmanifest", "application/manifest+json"},
	{".webp", "image/webp"},
	{".woff", "font/woff"},
	{".woff2", "font/woff2"},
	{".xml", "application/xml"},
};

const char *file_type(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(dot, types[i].extension))
			return types[i].type;
	return "application/octet-stream";
}
