set -e
cd nginx-1.22.1

# Everything that is written goes to /tmp and /run, which a root and a container let it write.
./configure --prefix="$PKG_DIR" --sbin-path="$PKG_DIR/bin/nginx" --conf-path=/etc/nginx/nginx.conf \
	--error-log-path=stderr --http-log-path=/dev/stdout --pid-path=/run/nginx.pid --lock-path=/run/nginx.lock \
	--http-client-body-temp-path=/tmp/nginx-client-body --http-proxy-temp-path=/tmp/nginx-proxy \
	--http-fastcgi-temp-path=/tmp/nginx-fastcgi --http-uwsgi-temp-path=/tmp/nginx-uwsgi --http-scgi-temp-path=/tmp/nginx-scgi \
	--user=nobody --group=nobody --with-threads --with-pcre --with-pcre-jit \
	--with-http_ssl_module --with-http_v2_module --with-http_realip_module --with-http_addition_module \
	--with-http_sub_module --with-http_dav_module --with-http_gunzip_module --with-http_gzip_static_module \
	--with-http_auth_request_module --with-http_secure_link_module --with-http_slice_module --with-http_stub_status_module \
	--with-http_random_index_module --with-stream --with-stream_ssl_module --with-stream_realip_module \
	--with-stream_ssl_preread_module \
	--with-cc="$CC" --with-cc-opt="-O2 -g0" --with-ld-opt="-static -s"
make $MAKE_JOBS

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/etc/nginx" "$out/html" "$out/share/licenses/nginx"
cp objs/nginx "$out/bin/"
cp ../nginx.conf conf/mime.types conf/fastcgi_params conf/scgi_params conf/uwsgi_params "$out/etc/nginx/"
cp html/index.html html/50x.html "$out/html/"
cp LICENSE "$out/share/licenses/nginx/"
