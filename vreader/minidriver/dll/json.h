// SPDX-License-Identifier: Apache-2.0
// JSON lines, as much of it as mdhost speaks: objects, arrays, strings in ASCII, whole numbers,
// true, false, null. Bytes are strings in hexadecimal.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct node {
    char kind; // { [ s n t f 0
    char *key, *text;
    long long number;
    struct node *child, *next;
} NODE;

static void skip(const char **at) {
    while (**at == ' ' || **at == '\t' || **at == '\r' || **at == '\n')
        ++*at;
}

static char *json_string(const char **at) {
    const char *from = ++*at;
    while (**at && **at != '"')
        *at += **at == '\\' && (*at)[1] ? 2 : 1;
    char *made = malloc((size_t)(*at - from) + 1), *to = made;
    for (; made && from < *at; from++)
        *to++ = *from == '\\' ? *++from : *from;
    if (made)
        *to = 0;
    if (**at)
        ++*at;
    return made;
}

static void json_free(NODE *node) {
    while (node) {
        NODE *next = node->next;
        json_free(node->child);
        free(node->key);
        free(node->text);
        free(node);
        node = next;
    }
}

// Return NULL for what is no JSON; `deep` ends what nests for ever.
static NODE *json_read(const char **at, int deep) {
    skip(at);
    NODE *node = calloc(1, sizeof *node);
    if (!node || deep > 16)
        return free(node), NULL;
    char c = node->kind = **at;
    if (c == '{' || c == '[') {
        NODE **tail = &node->child;
        char end = c == '{' ? '}' : ']';
        for (++*at, skip(at); **at != end; skip(at)) {
            char *key = NULL;
            if (c == '{') {
                if (**at != '"')
                    return json_free(node), NULL;
                key = json_string(at);
                skip(at);
                if (*(*at)++ != ':')
                    return free(key), json_free(node), NULL;
            }
            NODE *child = *tail = json_read(at, deep + 1);
            if (!child)
                return free(key), json_free(node), NULL;
            child->key = key;
            tail = &child->next;
            skip(at);
            if (**at == ',')
                ++*at;
            else if (**at != end)
                return json_free(node), NULL;
        }
        ++*at;
    } else if (c == '"') {
        node->kind = 's';
        node->text = json_string(at);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        char *end;
        node->kind = 'n';
        node->number = c == '-' ? strtoll(*at, &end, 10) : (long long)strtoull(*at, &end, 10);
        *at = end;
    } else if (!strncmp(*at, "true", 4) || !strncmp(*at, "null", 4)) {
        node->kind = c == 't' ? 't' : '0';
        *at += 4;
    } else if (!strncmp(*at, "false", 5)) {
        *at += 5;
    } else {
        return free(node), NULL;
    }
    return node;
}

static NODE *get(NODE *object, const char *key) {
    for (NODE *n = object ? object->child : NULL; n; n = n->next)
        if (n->key && !strcmp(n->key, key))
            return n->kind == '0' ? NULL : n;
    return NULL;
}

static long long number(NODE *object, const char *key) {
    NODE *n = get(object, key);
    return n && n->kind == 'n' ? n->number : 0;
}

static const char *text(NODE *object, const char *key) {
    NODE *n = get(object, key);
    return n && n->kind == 's' ? n->text : NULL;
}

static int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

// Write the bytes that a string in hexadecimal means; return how many they are.
static size_t unhex(const char *s, unsigned char *out) {
    size_t n = s ? strlen(s) / 2 : 0;
    for (size_t i = 0; out && i < n; i++)
        out[i] = (unsigned char)(digit(s[2 * i]) << 4 | digit(s[2 * i + 1]));
    return n;
}

static FILE *answers; // where lines are written; the DLL's own stdout is elsewhere

static void hexed(const void *p, size_t n) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = p;
    fputc('"', answers);
    for (size_t i = 0; i < n; i++) {
        fputc(digits[at[i] >> 4], answers);
        fputc(digits[at[i] & 15], answers);
    }
    fputc('"', answers);
}

static void quoted(const char *s) {
    fputc('"', answers);
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            fprintf(answers, "\\%c", *s);
        else
            fputc(*s < ' ' ? '?' : *s, answers);
    fputc('"', answers);
}
