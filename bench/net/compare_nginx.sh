#!/bin/sh
# CPU of the server per request, 64 keep-alive connections: http-hello beside nginx `return 200`,
# in turn, in the same run. Needs wrk, nginx, and `ninja bench/net/http-hello`. One JSON line per run.
#
#     bench/net/compare_nginx.sh BUILD_DIR [SECONDS] [ROUNDS]
set -eu
build=${1:?build directory}
seconds=${2:-3}
rounds=${3:-3}
work=$(mktemp -d)
trap 'kill $hello $nginx 2>/dev/null || true; rm -rf "$work"' EXIT

cat > "$work/nginx.conf" <<EOF
worker_processes 1;
pid $work/nginx.pid;
error_log $work/error.log crit;
daemon off;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    server {
        listen 127.0.0.1:18082;
        location / { default_type text/plain; return 200 "hello world\n"; }
    }
}
EOF
"$build/bench/net/http-hello" 127.0.0.1:18081 & hello=$!
nginx -c "$work/nginx.conf" & nginx=$!
sleep 0.5
worker=$(pgrep -P "$nginx" | head -n 1)

ticks() { # user and system time of a process in clock ticks
    sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}
hertz=$(getconf CLK_TCK)
one() { # name pid port
    before=$(ticks "$2")
    wrk -t1 -c64 -d"${seconds}s" "http://127.0.0.1:$3/" > "$work/wrk"
    after=$(ticks "$2")
    requests=$(awk '/requests in/ { print $1 }' "$work/wrk")
    awk -v n="$1" -v r="$requests" -v s="$seconds" -v t="$((after - before))" -v hz="$hertz" \
        'BEGIN { printf "{\"bench\":\"http_hello\",\"server\":\"%s\",\"per_second\":%d,\"cpu_us\":%.2f}\n",
                 n, r / s, t / hz * 1e6 / r }'
}
i=0
while [ "$i" -lt "$rounds" ]; do
    one parley "$hello" 18081
    one nginx "$worker" 18082
    i=$((i + 1))
done
