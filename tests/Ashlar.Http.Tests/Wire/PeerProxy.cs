using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Ashlar.Testing;

namespace Ashlar.Http.Tests.Wire;

/// <summary>nginx or HAProxy as the distribution ships it, in front of an <see cref="EchoServer"/>, on a Unix socket.</summary>
internal sealed class PeerProxy : IDisposable
{
    private readonly TempFolder _folder;
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly string _socket;

    private PeerProxy(TempFolder folder, string program, params string[] arguments)
    {
        _folder = folder;
        _socket = Path.Combine(folder.Path, "listen");
        Assert.True(File.Exists(program), $"{program} is missing: this test needs Debian's nginx and haproxy (apt-get install nginx-core haproxy).");
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    public static PeerProxy Nginx(int echoPort)
    {
        var folder = new TempFolder();
        var path = folder.Path;
        var configuration = folder.Write("nginx.conf", $$"""
            daemon off;
            master_process off;
            pid "{{path}}/pid";
            error_log stderr crit;
            events { worker_connections 256; }
            http {
                access_log off;
                client_body_temp_path "{{path}}/body";
                proxy_temp_path "{{path}}/proxy";
                fastcgi_temp_path "{{path}}/fastcgi";
                uwsgi_temp_path "{{path}}/uwsgi";
                scgi_temp_path "{{path}}/scgi";
                large_client_header_buffers 4 64k;
                client_max_body_size 0;
                server {
                    listen "unix:{{path}}/listen";
                    merge_slashes off;
                    location / {
                        proxy_pass http://127.0.0.1:{{echoPort}};
                        proxy_http_version 1.1;
                        proxy_set_header X-Peer-Method $request_method;
                        proxy_set_header X-Peer-Target $request_uri;
                        proxy_set_header X-Peer-Host $http_host;
                    }
                }
            }
            """);
        return new PeerProxy(folder, "/usr/sbin/nginx", "-p", path, "-c", configuration, "-e", "stderr");
    }

    public static PeerProxy HAProxy(int echoPort)
    {
        var folder = new TempFolder();
        var configuration = folder.Write("haproxy.cfg", $"""
            global
                maxconn 256
            defaults
                mode http
                timeout connect 20s
                timeout client 20s
                timeout server 20s
            frontend in
                bind unix@{folder.Path}/listen
                http-request set-header X-Peer-Method %[method]
                http-request set-header X-Peer-Target %[url]
                http-request set-header X-Peer-Host %[req.hdr(host)]
                default_backend out
            backend out
                server echo 127.0.0.1:{echoPort}

            """);
        return new PeerProxy(folder, "/usr/sbin/haproxy", "-db", "-f", configuration);
    }

    /// <summary>Sends bytes on a connection of their own and reads what comes back until the peer closes.</summary>
    public async Task<byte[]> SendAsync(ReadOnlyMemory<byte> request)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var socket = await ConnectAsync(bound.Token);
        var answer = new List<byte>();
        try
        {
            await socket.SendAsync(request, bound.Token);
            var block = new byte[16 * 1024];
            for (int count; (count = await socket.ReceiveAsync(block, bound.Token)) > 0;)
            {
                answer.AddRange(block.AsSpan(0, count));
            }
        }
        catch (SocketException)
        {
            // A peer that refuses may reset the connection, with our bytes unread.
        }

        return [.. answer];
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }

    /// <summary>Connects; the first time, waits until the peer listens.</summary>
    private async Task<Socket> ConnectAsync(CancellationToken bound)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), bound);
                return socket;
            }
            catch (SocketException) when (!_process.HasExited)
            {
                socket.Dispose();
                await Task.Delay(10, bound);
            }
            catch (SocketException exception)
            {
                socket.Dispose();
                lock (_output)
                {
                    throw new InvalidOperationException($"{_process.StartInfo.FileName} ended: {_output}", exception);
                }
            }
        }
    }

    private void Keep(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
        }
    }
}
