using System.Text;
using Ashlar.Edge.Caching.Rules;

namespace Ashlar.Edge.Caching.Store;

/// <summary>
/// All tags by their exact name. A purge is one number written to one tag, however many responses have it. The tags of what is on its
/// way are not known yet, so a tag that nothing has is remembered when it is purged; past a bound of those, everything that was
/// on its way then is not stored. Used under the store's lock.
/// </summary>
internal sealed class TagIndex
{
    /// <summary>Tags one response may have.</summary>
    public const int MostTags = 128;

    /// <summary>Bytes of a tag.</summary>
    public const int LongestTag = 256;

    private const int MostRemembered = 10_000;

    private readonly Dictionary<string, TagState> _tags = new(StringComparer.Ordinal);
    private readonly Queue<TagState> _remembered = new();
    private long _doubtfulBefore;

    /// <summary>The tags that field lines say (<c>Cache-Tag</c>, separated by commas, and <c>Surrogate-Key</c>, by spaces); null: too many.</summary>
    public TagState[]? Of(ReadOnlySpan<byte> fields)
    {
        List<TagState>? tags = null;
        var lines = new FieldLines(fields);
        while (lines.Next())
        {
            var comma = FieldText.Is(lines.Name, "cache-tag"u8);
            if (!comma && !FieldText.Is(lines.Name, "surrogate-key"u8))
            {
                continue;
            }

            foreach (var range in lines.Value.Split(comma ? (byte)',' : (byte)' '))
            {
                var text = lines.Value[range].Trim(" \t"u8);
                if (text.IsEmpty)
                {
                    continue;
                }

                if (text.Length > LongestTag || tags?.Count == MostTags)
                {
                    return null;
                }

                var tag = Find(Encoding.Latin1.GetString(text));
                tags ??= [];
                if (!tags.Contains(tag))
                {
                    tags.Add(tag);
                }
            }
        }

        return tags is null ? [] : [.. tags];
    }

    /// <summary>A stored response has it.</summary>
    public void Use(TagState tag)
    {
        tag.Count++;
        _tags[tag.Name] = tag;
    }

    /// <summary>A response that had it is gone.</summary>
    public void Release(TagState tag)
    {
        if (--tag.Count == 0)
        {
            Remember(tag);
        }
    }

    /// <summary>Takes out what has it; says how many that were.</summary>
    public int Purge(string name, bool soft, long sequence)
    {
        if (!_tags.TryGetValue(name, out var tag))
        {
            tag = new TagState(name);
            _tags[name] = tag;
            Remember(tag);
        }

        Volatile.Write(ref soft ? ref tag.ExpiredAt : ref tag.PurgedAt, sequence);
        return tag.Count;
    }

    /// <summary>Whether all purges of these tags since this number are known.</summary>
    public bool IsKnown(TagState[] tags, long sequence)
    {
        if (sequence < _doubtfulBefore)
        {
            return false;
        }

        foreach (var tag in tags)
        {
            if (_tags.TryGetValue(tag.Name, out var known) && known != tag)
            {
                return false;
            }
        }

        return true;
    }

    private TagState Find(string name)
    {
        if (!_tags.TryGetValue(name, out var tag))
        {
            // In the index from now on: a purge meanwhile must find it.
            tag = new TagState(name);
            _tags[name] = tag;
            Remember(tag);
        }

        return tag;
    }

    private void Remember(TagState tag)
    {
        _remembered.Enqueue(tag);
        while (_remembered.Count > MostRemembered)
        {
            var old = _remembered.Dequeue();
            if (old.Count == 0 && _tags.TryGetValue(old.Name, out var known) && known == old)
            {
                _tags.Remove(old.Name);
                _doubtfulBefore = Math.Max(_doubtfulBefore, Math.Max(old.PurgedAt, old.ExpiredAt));
            }
        }
    }
}
