using System.Globalization;
using System.Text;
using Ashlar.Edge.Logging;
using Ashlar.Edge.Web;
using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>Files that the edge answers with itself, from memory or straight from the kernel's.</summary>
internal sealed partial class Exchange
{
    // What is sent of a file before other connections get their turn, and what is made sure to be in memory before that.
    private const int FilePiece = 512 * 1024;

    private byte[]? _content;
    private OpenFile? _file;
    private long _fileAt;
    private long _fileEnd;
    private bool _isPieceReady;

    // The path is that of a folder of files, without a slash behind it.
    private bool _isFolderItself;

    private void ResetFile()
    {
        _file?.Release();
        _file = null;
        _content = null;
        _isPieceReady = false;
    }

    /// <summary>True: a file answers the request, or is being looked for; else <paramref name="next"/> has to be tried.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="prefix">Length of the part of the path that is the folder's own.</param>
    /// <param name="next">What follows where there is none, after a look.</param>
    private bool AnsweredByFile(StaticFolder folder, int prefix, Action<Exchange> next)
    {
        if (Request.Method is not (KnownMethod.Get or KnownMethod.Head))
        {
            return false;
        }

        var path = PathOf(_client.Received!.Slice(_headStart, Request.Consumed));
        _isFolderItself = path.Length == prefix;
        var name = _isFolderItself ? "/"u8 : path[prefix..];
        var answer = folder.Find(name, _loop.Now, out var mustLook);
        if (answer is null)
        {
            Look(folder, name.ToArray(), next);
            return true;
        }

        if (mustLook)
        {
            var (again, now) = (name.ToArray(), _loop.Now);
            _edge.Server.Workers.TryRun(_loop, () => folder.Look(again, now), static () => { });
        }

        return AnsweredWith(answer);
    }

    private void Look(StaticFolder folder, byte[] name, Action<Exchange> next)
    {
        var answer = FileAnswer.None;
        var now = _loop.Now;
        var ticket = Await(Stage.Looking);
        LookDeadline();
        void Done() => Continue(ticket, () =>
        {
            if (!AnsweredWith(answer))
            {
                next(this);
            }
        });
        if (!_edge.Server.Workers.TryRun(_loop, () => answer = folder.Look(name, now), Done, () => IsAwaited(ticket)))
        {
            AnswerUnawaited(HttpProblem.QueueFull, Failure.QueueFull);
        }
    }

    private bool AnsweredWith(FileAnswer answer)
    {
        if (answer.File is { } file && !_isFolderItself)
        {
            return Serve(file);
        }

        if (answer.IsFolder || answer.File is not null)
        {
            var head = _client.Received!.Slice(_headStart, Request.Consumed);
            var location = Encoding.ASCII.GetString([(byte)'/', .. PathOf(head).TrimStart((byte)'/'), (byte)'/', .. Request.QueryRange.Of(head)]);
            AnswerShort("301 Moved Permanently", $"Location: {location}\r\nContent-Length: 0\r\n", default);
            return true;
        }

        if (answer.Status == 0)
        {
            return false;
        }

        Answer(answer.Status switch { 403 => HttpProblem.Denied, 410 => HttpProblem.Gone, _ => HttpProblem.NoFile }, Failure.NoRoute);
        return true;
    }

    private bool Serve(StaticFile file)
    {
        var head = _client.Received!.Slice(_headStart, Request.Consumed);
        var ranged = Request.Method == KnownMethod.Get && Request.Has(KnownHeader.Range);
        var variant = ranged ? file.Plain
            : file.Brotli is { } brotli && FileConditions.Accepts(Request, head, "br"u8) ? brotli
            : file.Gzip is { } gzip && FileConditions.Accepts(Request, head, "gzip"u8) ? gzip
            : file.Plain;
        if (variant.File is { } held && !held.TryHold())
        {
            // It has just been dropped from the cache: rare, and the next look finds it again.
            return false;
        }

        _file = variant.File;
        var (start, length) = (0L, variant.Length);
        var status = "200 OK"u8;
        switch (FileConditions.Judge(Request, head, variant.Tag, file.ModifiedSeconds))
        {
            case Precondition.NotModified:
                status = "304 Not Modified"u8;
                length = -1;
                break;
            case Precondition.Failed:
                Answer(HttpProblem.PreconditionFailed, Failure.None);
                return true;
            default:
                if (ranged && FileConditions.IfRangeHolds(Request, head, variant.Tag, file.ModifiedSeconds)
                    && FileConditions.TryRange(Request.Find(KnownHeader.Range).Of(head), variant.Length, out var from, out var part))
                {
                    if (part == 0)
                    {
                        _moreLines = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Content-Range: bytes */{variant.Length}\r\n"));
                        Answer(HttpProblem.RangeUnsatisfiable, Failure.None);
                        return true;
                    }

                    status = "206 Partial Content"u8;
                    (start, length) = (from, part);
                }

                break;
        }

        BeginOwnAnswer((status[0] - '0') * 100 + (status[1] - '0') * 10 + status[2] - '0');
        WriteFileHead(variant, status, start, length, isPart: status[2] == '6');
        if (Request.Method != KnownMethod.Head && length > 0)
        {
            (_content, _fileAt, _fileEnd) = (variant.Content, start, start + length);
            _responseDone = false;
            CopyContent();
        }

        return true;
    }

    private void WriteFileHead(FileVariant variant, ReadOnlySpan<byte> status, long start, long length, bool isPart)
    {
        var edits = EditLines;
        if (variant.Lines.Length + edits.Length + 512 > _toClient.Room || (variant.Content is not null && length > BufferPool.Small / 2))
        {
            _toClient.EnsureLarge();
        }

        _toClient.Copy("HTTP/1.1 "u8);
        _toClient.Copy(status);
        _toClient.Copy("\r\n"u8);
        if (length >= 0)
        {
            _toClient.Copy("Content-Length: "u8);
            CopyNumber(length);
            _toClient.Copy("\r\n"u8);
        }

        if (isPart)
        {
            _toClient.Copy("Content-Range: bytes "u8);
            CopyNumber(start);
            _toClient.Copy("-"u8);
            CopyNumber(start + length - 1);
            _toClient.Copy("/"u8);
            CopyNumber(variant.Length);
            _toClient.Copy("\r\n"u8);
        }

        _toClient.Copy(variant.Lines);
        _toClient.Copy(_edge.DateLine);
        _toClient.Copy(HstsLine);
        _toClient.Copy(edits);
        if (_keepAlive != (Request.Version == 11))
        {
            _toClient.Copy(_keepAlive ? "Connection: keep-alive\r\n"u8 : "Connection: close\r\n"u8);
        }

        _toClient.Copy("\r\n"u8);
    }

    private ReadOnlySpan<byte> EditLines => _edits is null ? default : _edits.Lines.Span;

    private void CopyNumber(long number)
    {
        Span<byte> text = stackalloc byte[20];
        number.TryFormat(text, out var length);
        _toClient.Copy(text[..length]);
    }

    /// <summary>Copies what there is room for of a small file.</summary>
    private void CopyContent()
    {
        if (_content is not { } content)
        {
            return;
        }

        var take = (int)Math.Min(_toClient.Room, _fileEnd - _fileAt);
        _toClient.Copy(content.AsSpan((int)_fileAt, take));
        _fileAt += take;
        if (_fileAt == _fileEnd)
        {
            _content = null;
            _responseDone = true;
        }
    }

    private bool SendsFile => _content is not null || (_file is not null && !_responseDone);

    /// <summary>Sends on in a file; the outbox is empty. False: nothing can be sent now.</summary>
    private bool SendFile(ref int budget)
    {
        if (_content is not null)
        {
            CopyContent();
            return true;
        }

        if (_isAwaiting || !_client.CanSend)
        {
            return false;
        }

        var piece = (int)Math.Min(FilePiece - _fileAt % FilePiece, _fileEnd - _fileAt);
        if (!_isPieceReady && !FileCalls.IsInMemory(_file!.Fd, _fileAt, piece))
        {
            ReadAhead(piece);
            return false;
        }

        _isPieceReady = true;
        return _client.IsSecure || _client.IsCarried ? CopyFile(piece, ref budget) : SendPiece(piece, ref budget);
    }

    private bool SendPiece(int piece, ref int budget)
    {
        var sent = _client.SendFile(_file!.Fd, _fileAt, piece);
        if (sent == SocketResult.WouldBlock)
        {
            return false;
        }

        if (sent <= 0)
        {
            // The file has become shorter, or the client has gone.
            Finish(Ending.Abort, sent == 0 ? Failure.Truncated : Failure.ClientGone);
            return false;
        }

        _sentToClient += sent;
        FileMoved(sent, ref budget);
        return true;
    }

    private bool CopyFile(int piece, ref int budget)
    {
        _toClient.EnsureLarge();
        var free = _toClient.Free;
        var read = FileCalls.Read(_file!.Fd, free[..Math.Min(free.Length, piece)], _fileAt);
        if (read <= 0)
        {
            Finish(Ending.Abort, Failure.Truncated);
            return false;
        }

        _toClient.Advance(read);
        FileMoved(read, ref budget);
        return true;
    }

    private void FileMoved(int length, ref int budget)
    {
        _fileAt += length;
        budget -= length;
        _isPieceReady = _fileAt % FilePiece != 0;
        _responseDone = _fileAt == _fileEnd;
    }

    /// <summary>The disk is waited for elsewhere.</summary>
    private void ReadAhead(int piece)
    {
        var (file, at) = (_file!, _fileAt);
        if (!file.TryHold())
        {
            Finish(Ending.Abort, Failure.Truncated);
            return;
        }

        var ticket = Await(Stage.Relaying);
        void Done()
        {
            file.Release();
            Continue(ticket, () => _isPieceReady = true);
        }

        if (!_edge.Server.Workers.TryRun(_loop, () => FileCalls.ReadAhead(file.Fd, at, piece), Done, () => IsAwaited(ticket)))
        {
            file.Release();
            Finish(Ending.Abort, Failure.QueueFull);
        }
    }
}
