#include "mount/file-type.h"

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define TEXT(kind) "text/" kind "; charset=utf-8"

/* As in the mime.types of most systems; text is UTF-8. */
static const struct {
	const char *ending;
	const char *type;
} types[] = {
	{".7z", "application/x-7z-compressed"},
	{".aac", "audio/aac"},
	{".apk", "application/vnd.android.package-archive"},
	{".apng", "image/apng"},
	{".atom", "application/atom+xml"},
	{".avi", "video/x-msvideo"},
	{".avif", "image/avif"},
	{".bmp", "image/bmp"},
	{".bz2", "application/x-bzip2"},
	{".cjs", TEXT("javascript")},
	{".css", TEXT("css")},
	{".csv", TEXT("csv")},
	{".d.ts", TEXT("plain")},
	{".doc", "application/msword"},
	{".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	{".eot", "application/vnd.ms-fontobject"},
	{".epub", "application/epub+zip"},
	{".flac", "audio/flac"},
	{".geojson", "application/geo+json"},
	{".gif", "image/gif"},
	{".glb", "model/gltf-binary"},
	{".gltf", "model/gltf+json"},
	{".gz", "application/gzip"},
	{".heic", "image/heic"},
	{".heif", "image/heif"},
	{".htm", TEXT("html")},
	{".html", TEXT("html")},
	{".ico", "image/x-icon"},
	{".ics", TEXT("calendar")},
	{".jpeg", "image/jpeg"},
	{".jpg", "image/jpeg"},
	{".js", TEXT("javascript")},
	{".json", "application/json"},
	{".jsonld", "application/ld+json"},
	{".jxl", "image/jxl"},
	{".log", TEXT("plain")},
	{".m3u8", "application/vnd.apple.mpegurl"},
	{".m4a", "audio/mp4"},
	{".m4v", "video/mp4"},
	{".map", "application/json"},
	{".markdown", TEXT("markdown")},
	{".md", TEXT("markdown")},
	{".mid", "audio/midi"},
	{".mjs", TEXT("javascript")},
	{".mkv", "video/x-matroska"},
	{".mov", "video/quicktime"},
	{".mp3", "audio/mpeg"},
	{".mp4", "video/mp4"},
	{".mpd", "application/dash+xml"},
	{".mpeg", "video/mpeg"},
	{".mpg", "video/mpeg"},
	{".oga", "audio/ogg"},
	{".ogg", "audio/ogg"},
	{".ogv", "video/ogg"},
	{".opus", "audio/ogg"},
	{".otf", "font/otf"},
	{".pdf", "application/pdf"},
	{".png", "image/png"},
	{".ppt", "application/vnd.ms-powerpoint"},
	{".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	{".rss", "application/rss+xml"},
	{".rtf", "application/rtf"},
	{".svg", "image/svg+xml"},
	{".tar", "application/x-tar"},
	{".tif", "image/tiff"},
	{".tiff", "image/tiff"},
	{".toml", "application/toml"},
	{".ts", "video/mp2t"},
	{".tsv", TEXT("tab-separated-values")},
	{".ttc", "font/collection"},
	{".ttf", "font/ttf"},
	{".txt", TEXT("plain")},
	{".vcf", TEXT("vcard")},
	{".vtt", TEXT("vtt")},
	{".wasm", "application/wasm"},
	{".wav", "audio/wav"},
	{".weba", "audio/webm"},
	{".webm", "video/webm"},
	{".webmanifest", "application/manifest+json"},
	{".webp", "image/webp"},
	{".woff", "font/woff"},
	{".woff2", "font/woff2"},
	{".xhtml", "application/xhtml+xml"},
	{".xls", "application/vnd.ms-excel"},
	{".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{".xml", "application/xml"},
	{".xsl", "application/xslt+xml"},
	{".yaml", "application/yaml"},
	{".yml", "application/yaml"},
	{".zip", "application/zip"},
	{".zst", "application/zstd"},
};

static bool ends_with(const char *path, const char *ending)
{
	size_t length = strlen(path), n = strlen(ending);

	return length >= n && !strcasecmp(path + length - n, ending);
}

const char *file_type(const struct config_files *settings, const char *path)
{
	for (size_t i = settings->n_types; i-- > 0;)
		if (ends_with(path, settings->types[i].ending))
			return settings->types[i].type;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (ends_with(path, types[i].ending))
			return types[i].type;
	return "application/octet-stream";
}
