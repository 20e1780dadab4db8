using System.Text;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.BadInput;

public sealed class StackFileTests
{
    [Fact]
    public Task A_directory_in_the_stack_files_place_is_refused() => RefusesAsync(
        path => Directory.CreateDirectory(path), "ASH1024", "folder");

    [Fact]
    public Task An_empty_stack_file_is_refused() => RefusesAsync(path => File.WriteAllText(path, ""), "ASH1020", "empty");

    [Fact]
    public Task A_stack_file_in_Latin_1_is_refused_at_the_first_byte_that_is_not_UTF_8() => RefusesAsync(
        path => File.WriteAllBytes(path, Encoding.Latin1.GetBytes("# Straßen\nname: café\n")), "ASH1022", "ashlar.yaml:1:", "0xDF", "UTF-8");

    [Fact]
    public Task A_stack_file_of_100_MB_is_refused_unread() => RefusesAsync(
        path =>
        {
            using var file = File.Create(path);
            file.SetLength(100_000_000);
        },
        "ASH1021", "100000000 bytes");

    [Fact]
    public Task A_stack_file_that_cannot_end_is_refused() => RefusesAsync(
        path => File.CreateSymbolicLink(path, "/dev/zero"), "ASH1021", "more than 1048576 bytes");

    private static async Task RefusesAsync(Action<string> make, string code, params string[] parts)
    {
        await using var rig = new StackRig("");
        var path = Path.Combine(rig.Folder, "ashlar.yaml");
        File.Delete(path);
        make(path);

        var check = await rig.AshlarAsync("check");
        Assert.True(check.ExitCode == 3, check.ToString());
        Assert.All([code, .. parts], part => Assert.Contains(part, check.Output));

        var up = await rig.AshlarAsync("up", "--detach");
        Assert.All([code, .. parts], part => Assert.Contains(part, up.Error));
        var error = Refusal.Of(up, 3);
        error.Is("ASH6028", "cli", "1 mistake").Advises("correct the file");
        Assert.False(Directory.Exists(Path.Combine(rig.Folder, ".ashlar")));
        rig.IsGone();
    }
}
