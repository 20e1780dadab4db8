using System.Text;

namespace Ashlar.Stack.Tests;

/// <summary>Files that cannot be read at all.</summary>
public sealed class BadFileTests : StackTest
{
    private string File => Path.Combine(Folder.Path, "ashlar.yaml");

    [Fact]
    public void A_path_that_does_not_exist_is_said_to()
    {
        var error = OneError(StackLoader.Load(Folder.Path + "/nowhere"));

        Assert.Equal($"{Folder.Path}/nowhere: error ASH1001: no such file or folder; give the folder that holds the app", error.ToString());
    }

    [Fact]
    public void A_folder_without_the_files_says_what_was_looked_for()
    {
        var error = OneError(StackLoader.Load(Folder.Path));

        Assert.Equal(
            $"{Folder.Path}: error ASH1002: there is no ashlar.yaml, ashlar.yml or Procfile here; `ashlar init` writes one", error.ToString());
    }

    [Fact]
    public void A_folder_named_like_the_stack_file_is_refused()
    {
        Directory.CreateDirectory(File);

        Assert.Equal("ASH1024", OneError(StackLoader.Load(Folder.Path)).Code);
        Assert.Equal("ASH1024", OneError(StackLoader.Load(File)).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF")]
    [InlineData("# nothing but a comment\n")]
    [InlineData("---\n...\n")]
    [InlineData("  \n\n")]
    public void An_empty_file_is_said_to_be_empty(string text) => Assert.Equal("ASH1020", OneError(Yaml(text)).Code);

    [Fact]
    public void A_file_of_100_MB_is_not_read()
    {
        using (var file = System.IO.File.Create(File))
        {
            file.SetLength(100_000_000);
        }

        Assert.Equal("the file has 100000000 bytes, at most 1048576 are read", OneError(StackLoader.Load(Folder.Path)).Message);
    }

    [Fact]
    public void An_endless_file_is_not_read_to_its_end()
    {
        System.IO.File.CreateSymbolicLink(File, "/dev/zero");

        Assert.Equal("ASH1021", OneError(StackLoader.Load(Folder.Path)).Code);
    }

    [Fact]
    public void A_named_pipe_is_not_waited_for()
    {
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", File))
        {
            mkfifo.WaitForExit();
        }

        Assert.Equal("ASH1020", OneError(StackLoader.Load(Folder.Path)).Code);
    }

    [Fact]
    public void Latin_1_is_refused_at_its_first_byte()
    {
        System.IO.File.WriteAllBytes(File, Encoding.Latin1.GetBytes("name: a\nservices: {web: {run: café}}\n"));
        var error = OneError(StackLoader.Load(Folder.Path));

        Assert.Equal(("2:26 ASH1022", "byte 0xE9 is not UTF-8"), (Place(error), error.Message));
    }

    [Fact]
    public void A_NUL_byte_is_refused_where_it_stands()
    {
        System.IO.File.WriteAllBytes(File, "name: ä\nuser: a\0\n"u8.ToArray());

        Assert.Equal("2:8 ASH1025", Place(OneError(StackLoader.Load(Folder.Path))));
    }

    [Fact]
    public void A_file_that_may_not_be_read_is_said_so()
    {
        // A link to itself fails for every user, root included.
        System.IO.File.CreateSymbolicLink(Path.Combine(Folder.Path, "Procfile"), Path.Combine(Folder.Path, "Procfile"));
        Folder.Write("ashlar.yaml", "services: {web: {run: x}}");
        System.IO.File.SetUnixFileMode(File, UnixFileMode.None);
        var codes = StackLoader.Load(Folder.Path).Errors.Select(e => e.Code).ToList();

        Assert.Contains("ASH1023", codes);
    }

    [Fact]
    public void Two_stack_files_are_one_too_many()
    {
        Folder.Write("ashlar.yml", "services: {web: {run: x}}");

        Assert.Equal("ASH1033", OneError(Yaml("services: {web: {run: x}}")).Code);
    }
}
