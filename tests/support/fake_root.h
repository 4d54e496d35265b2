// fake_root: a directory that stands for "/" in tests of what reads /proc and /sys.
#ifndef RS_TEST_FAKE_ROOT_H
#define RS_TEST_FAKE_ROOT_H

// cmocka's setup and teardown; *state is the path of the root.
int fake_root_make(void **state);
int fake_root_remove(void **state);
// Writes a file below the root, and the directories on the way.
void fake_root_put(const char *root, const char *path, const char *text);

#endif
