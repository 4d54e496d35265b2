// page_asset: the page without its data, as bundled from src/report/web when ringside is built. The definitions are
// made by src/report/web/embed.cmake.
#ifndef RINGSIDE_REPORT_PAGE_ASSET_H
#define RINGSIDE_REPORT_PAGE_ASSET_H

#include <stddef.h>

extern const unsigned char rs_page_asset[]; // HTML with one RS_PAGE_DATA_MARK
extern const size_t rs_page_asset_bytes;    // 0: built without it
extern const char rs_page_asset_missing[];  // why it is missing, and what to do; "" when it is there

#define RS_PAGE_DATA_MARK "@RINGSIDE_DATA@"

#endif
