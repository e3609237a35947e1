/* The command's side of the control socket: one request, one answer, blocking. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/control.h"
#include "app/control_path.h"

bool control_address(const char *data_dir, struct sockaddr_un *ret_address)
{
    memset(ret_address, 0, sizeof *ret_address);
    ret_address->sun_family = AF_UNIX;
    int len =
        snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "%s/control.sock", data_dir);
    return len > 0 && (size_t)len < sizeof ret_address->sun_path;
}

static void write_request(struct buf *out, const char *action, const char *const *args,
                          struct slice input)
{
    buf_printf(out, "POST /%s", action);
    for (int i = 0; args[i] != NULL; i++) {
        buf_str(out, i == 0 ? "?a=" : "&a=");
        for (const char *c = args[i]; *c != 0; c++)
            buf_printf(out, "%%%02X", (unsigned char)*c);
    }
    buf_printf(out,
               " HTTP/1.1\r\nhost: control\r\nconnection: close\r\ncontent-length: %zu\r\n\r\n",
               input.len);
    buf_slice(out, input);
}

static bool send_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes = slice_of(bytes.ptr + sent, bytes.len - (size_t)sent);
    }
    return true;
}

static bool receive_all(int fd, struct buf *in)
{
    for (;;) {
        if (!buf_reserve(in, 4096))
            return false;
        ssize_t got = recv(fd, in->ptr + in->len, in->cap - in->len, 0);
        if (got <= 0)
            return got == 0;
        in->len += (size_t)got;
    }
}

static int take_answer(struct slice answer, struct buf *out, bool *ret_failed, struct error *err)
{
    const char *body = answer.len > 13 ? memmem(answer.ptr, answer.len, "\r\n\r\n", 4) : NULL;
    if (body == NULL)
        return error_set(err, FAIL_CLOSED, "control_socket", "The server gave no answer.");
    *ret_failed = memcmp(answer.ptr + 9, "200", 3) != 0;
    body += 4;
    buf_append(out, body, answer.len - (size_t)(body - answer.ptr));
    return 1;
}

int control_send(const char *data_dir, const char *action, const char *const *args,
                 struct slice input, struct buf *out, bool *ret_failed, struct error *err)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_errno(err, errno, "control_socket", "No socket can be made");
    if (!control_address(data_dir, &address) ||
        connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return 0; /* nobody serves this folder */
    }
    struct buf request, answer;
    buf_init(&request, 64 << 10);
    buf_init(&answer, 256 << 10);
    write_request(&request, action, args, input);
    int rc;
    if (send_all(fd, buf_view(&request)) && receive_all(fd, &answer))
        rc = take_answer(buf_view(&answer), out, ret_failed, err);
    else
        rc = error_set(err, FAIL_CLOSED, "control_socket", "The server ended before it answered.");
    close(fd);
    buf_done(&request);
    buf_done(&answer);
    return rc;
}
